"""Where users come in: one after the other, at the spawn rate of the stage."""

from gevent.event import Event

from locustfiles.spacing import Spacing


class Entrance:
    """Lets users in at a rate, from when a stage has opened. One per process.

    Locust starts the users of a second all at once. Their first requests would then be with the target in the same few
    milliseconds, and what the first second shows would be that queue. Who sends together is for a rendezvous to say.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the last run. Users of the last run must be gone."""
        self._opened = Event()
        self._spacing = Spacing()
        self._inside: set[object] = set()

    @property
    def users(self) -> int:
        """How many are inside."""
        return len(self._inside)

    def open(self, rate: float | None) -> None:
        """Let in so many a second from now on; without a rate, everybody at once."""
        self._spacing.keep(rate)
        self._opened.set()

    def enter(self, user: object) -> None:
        """Wait for one's turn to come in."""
        self._opened.wait()
        self._spacing.wait()
        self._inside.add(user)

    def leave(self, user: object) -> None:
        """Go, whether one came in or not."""
        self._inside.discard(user)
