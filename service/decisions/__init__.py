"""Decisions: the next best action, from the funnel to the record that is kept of it."""
