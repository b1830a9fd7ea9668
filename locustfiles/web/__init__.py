"""What Locust's web interface has more than Locust's: the choice of a scenario, the split live, and the verdict."""
