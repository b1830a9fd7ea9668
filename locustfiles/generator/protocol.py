"""The messages between a master and its workers. In a single process Locust delivers them to that process itself."""

from typing import NamedTuple

# from a worker
REPORT = "budget report"
RESPONSE_ROWS, SAMPLE_ROWS, IN_FLIGHT = "responses", "samples", "in flight"  # keys in Locust's reports of statistics
# from the master
OPEN = "budget open"
GRANT = "budget grant"
CLOSE = "budget close"
ABANDON = "abandon"

LAST_ANSWERS_WITHIN_S = 5.0  # for the requests in flight when a run ends early


class BudgetReport(NamedTuple):
    """What a worker reports of its permits."""

    answered: int  # requests ended in the whole run, well or badly
    wanted: int = 0  # permits that its users could use now
    returned: int = 0  # permits that it gives back
