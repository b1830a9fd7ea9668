"""The compose stack: containers with limits and health checks."""
