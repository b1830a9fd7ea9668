"""What the service does: one use case, and the tally of its outcomes."""
