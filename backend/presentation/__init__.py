"""How the service speaks: HTTP, one envelope for every answer, Prometheus text for its tally."""
