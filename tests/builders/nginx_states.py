"""Every state that the simulated nginx can be in: it is put into each, and all that can happen next happens."""

from functools import cache
from typing import NamedTuple

from tests.builders.nginx_round_robin import FAIL_TIMEOUT, Nginx

NOW = 1000


class At(NamedTuple):
    """What a backend's numbers mean, whatever the time."""

    current: int
    effective: int
    failed: bool
    waiting: bool = False  # for its fail_timeout
    asked: bool = False  # since it failed

    @property
    def eligible(self):
        return self.failed and not self.waiting


def nginx_at(state, weights):
    nginx = Nginx(weights)
    nginx.now = NOW
    for peer, at in zip(nginx.peers, state, strict=True):
        peer.current, peer.effective, peer.fails = at.current, at.effective, int(at.failed)
        peer.checked = NOW if at.waiting else NOW - FAIL_TIMEOUT - 1
        peer.accessed = peer.checked - at.asked
    return nginx


def state_of(nginx):
    return tuple(
        At(peer.current, peer.effective, failed=True, waiting=nginx.out(index), asked=peer.accessed < peer.checked)
        if peer.fails
        else At(peer.current, peer.effective, failed=False)
        for index, peer in enumerate(nginx.peers)
    )


def after(state, weights, what, *arguments, **options):
    """The answer, and the state."""
    nginx = nginx_at(state, weights)
    answer = getattr(nginx, what)(*arguments, **options)
    return answer, state_of(nginx)


def timed_out(state, index):
    return (*state[:index], state[index]._replace(waiting=False), *state[index + 1 :])


def events(state, weights):
    """A request comes; an attempt that is in flight anywhere fails, or is answered; or a fail_timeout passes."""
    if any(not at.waiting for at in state):
        yield after(state, weights, "get", ())[1]
    for index, at in enumerate(state):
        yield after(state, weights, "free", index, failed=True)[1]
        if at.asked:
            yield after(state, weights, "free", index, failed=False)[1]
        if at.waiting:
            yield timed_out(state, index)


@cache
def all_states(weights):
    fresh = tuple(At(0, weight, failed=False) for weight in weights)
    return closed({fresh}, lambda state: events(state, weights))


def closed(states, events_of):
    seen, todo = set(states), list(states)
    while todo:
        new = set(events_of(todo.pop())) - seen
        seen |= new
        todo += new
    return seen


def outage(state, weights, out, *, hanging):
    """What can happen while these never answer: the state, who of the survivors was picked, whether a probe begins."""
    picked, then = after(state, weights, "get", ())
    yield then, (None if picked in out else picked), 0
    for index in out:
        at = state[index]
        if (at.waiting and at.effective) or (at.eligible and hanging):
            yield after(state, weights, "free", index, failed=True)[1], None, 0
        if at.waiting and (hanging or not at.asked):
            yield timed_out(state, index), None, 1
