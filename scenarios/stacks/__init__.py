"""The systems that a scenario can be run against."""
