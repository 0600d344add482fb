"""What the learners have learned: they are asked prompts of every kind, and nothing of them changes by it."""
