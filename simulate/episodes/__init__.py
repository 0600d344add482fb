"""Exact sampler of episodes: one module for each step in which :class:`theory.EpisodeDistribution` draws them."""
