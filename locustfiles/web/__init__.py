"""The additions to Locust's web interface: the choice of a scenario, the live split, and the verdict."""
