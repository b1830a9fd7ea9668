"""Locustfiles for `make bench`: Locust's own clients with nothing around them."""
