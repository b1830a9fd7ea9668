"""Run against run: what changed between two runs of a scenario, and whether that is more than noise."""
