"""How long a balancer waits for its backends, by its configuration."""

from pydantic import BaseModel


class Patience(BaseModel):
    """How long the balancer waits for a backend, and how long it leaves one alone that has failed."""

    max_fails: int  # failures, each within `fail_timeout_s` of the one before, after which it leaves a backend alone
    fail_timeout_s: float
    connect_timeout_s: float
    read_timeout_s: float  # between two parts of an answer
