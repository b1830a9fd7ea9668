"""What became of something from one run to the next."""

from enum import StrEnum


class Change(StrEnum):
    """UNKNOWN: the change may be of either sign, and of any size that was not excluded."""

    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    UNKNOWN = "cannot tell"
