"""What a single run does: rigorous brackets and sharp bands of its boundary."""
