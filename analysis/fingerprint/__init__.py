"""Which algorithm a balancer looks like, from the rows of a probe."""
