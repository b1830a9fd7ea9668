"""The files that a run leaves behind, and their columns. Writers and readers both take them from here."""

from typing import NamedTuple


class Response(NamedTuple):
    """One request of the client's ledger, answered or not: a row of `responses.csv`, whose header these names are."""

    sent_us: int  # since the Unix epoch
    latency_us: int  # from sending to the last byte of the answer, or to the fault
    host_tag: str  # who answered; empty when nobody did
    status: int  # of HTTP; 0 when there was no answer
    stage: str
    request_id: str
    error: str  # empty when the answer was what it should be


class Users(NamedTuple):
    """A change in the generator: a row of `generator.csv`, whose header these names are."""

    at_us: int  # since the Unix epoch
    stage: str  # empty between stages, while surplus users go
    users: int  # running from then on


RESPONSES = "responses.csv"
GENERATOR = "generator.csv"
