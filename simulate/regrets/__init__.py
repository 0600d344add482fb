"""Regret of the gates on a trajectory, beside the bounds that hold on every one."""
