"""Where users enter a run: one after the other, at the spawn rate of the stage."""

from gevent.event import Event

from locustfiles.generator.pacing import Pacing


class Arrivals:
    """Lets users enter at a rate once a stage has opened. One per process.

    Locust starts all users of a second at once. Their first requests would reach the target within the same few
    milliseconds, and the first second would show that queue. A scenario that wants users to send together asks for a
    rendezvous.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the last run. Its users must have left."""
        self._opened = Event()
        self._pacing = Pacing()
        self._inside: set[object] = set()

    @property
    def users(self) -> int:
        """How many users have entered and not left."""
        return len(self._inside)

    def open(self, rate: float | None) -> None:
        """Let so many users a second enter from now on; without a rate, all at once."""
        self._pacing.keep(rate)
        self._opened.set()

    def enter(self, user: object) -> None:
        """Wait until this user may enter, and count it."""
        self._opened.wait()
        self._pacing.wait()
        self._inside.add(user)

    def leave(self, user: object) -> None:
        """Count this user no longer, whether it has entered or not."""
        self._inside.discard(user)
