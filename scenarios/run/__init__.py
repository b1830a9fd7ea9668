"""The commands: run a scenario, record it, inject its faults, serve the web page, probe, compare clients."""
