"""The limit of open files: a connection is an open file at both ends."""

import resource

from scenarios.spec.errors import UsageError

SPARE = 500  # logs, libraries, listening sockets, idle connections to the backends
IMBALANCE = 1.25  # nginx's two workers share the clients, two files each, but not quite evenly


def needed(users: int) -> int:
    """How many open files a process may need when this many users are connected."""
    return int(IMBALANCE * users) + SPARE


def allow(users: int) -> None:
    """Raise the limit of this process, and of those that it starts, as far as it goes.

    Raises `UsageError` when that is not enough for so many users.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed(users):
        raise UsageError(
            f"{users:,} users need {needed(users):,} open files, and the limit here is {hard:,}: raise it with "
            f"`ulimit -Hn {needed(users)}` as root or in /etc/security/limits.conf, or ask for fewer with USERS="
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
