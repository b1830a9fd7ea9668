"""The limit of open files: a connection is a file, on both of its ends."""

import resource

from scenarios.errors import UsageError

SPARE = 500  # logs, libraries, listening sockets, connections to the backends that are kept idle
IMBALANCE = 1.25  # nginx's two workers share the clients, two files each, but not quite evenly


def needed(users: int) -> int:
    """How many files a process may have to open when this many users are connected."""
    return int(IMBALANCE * users) + SPARE


def allow(users: int) -> None:
    """Raise this process's limit as far as it goes, for the processes that it starts.

    Raises `UsageError` when that is not enough for so many users.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed(users):
        raise UsageError(
            f"{users:,} users need {needed(users):,} open files, and the limit here is {hard:,}: raise it with "
            f"`ulimit -Hn {needed(users)}` as root or in /etc/security/limits.conf, or ask for fewer with USERS="
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
