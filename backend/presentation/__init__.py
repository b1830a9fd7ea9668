"""The HTTP interface: one envelope for every answer, and Prometheus text for the counters."""
