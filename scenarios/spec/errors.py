"""The error of everything that the user can mend."""


class UsageError(Exception):
    """A command cannot be done as asked (exit code 2). The message is a sentence: what is wrong, where, what to do."""
