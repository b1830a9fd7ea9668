"""The one way in which a wrong request from a user is refused."""


class UsageError(Exception):
    """What was asked cannot be done (exit code 2). The message is one sentence: what is wrong, where, what to do."""
