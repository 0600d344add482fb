"""Attention whose temperature is learned: the flow, and what it does to the mean gate."""
