"""The faults that end a request without a whole and sound answer."""


class AnswerFault(Exception):
    """A request without a whole and sound answer."""


class GeneratorFault(Exception):
    """A request that ended without an answer for a reason of the generator: it says nothing about the target."""


FAULTS = (OSError, AnswerFault, GeneratorFault)
STOPPED = "stopped before the answer came"
