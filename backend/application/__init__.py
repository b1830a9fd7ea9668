"""What the service does: one use case, the counters of its outcomes, and the fault switches."""
