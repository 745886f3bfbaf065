"""Lists: what is recommended, from the question to the items that stand there."""
