"""The start of a run from the form: checked, allowed and begun, or refused in words that the form shows."""

from collections.abc import Mapping
from typing import Any

import gevent
from flask import Flask, Response, jsonify, request
from gevent.event import AsyncResult
from locust.env import Environment
from locust.runners import MasterRunner

from locustfiles import options
from locustfiles.attendant import Attendant
from locustfiles.leader import Leader
from scenarios.attendance import Asked
from scenarios.definition import MOST_REQUESTS, MOST_USERS, Scenario
from scenarios.errors import UsageError

ENDPOINT = "locust.swarm"
BEGINS_WITHIN_S = 30.0
SIZES = {
    "scale_requests": ("the number of requests", MOST_REQUESTS),
    "scale_users": ("the number of users", MOST_USERS),
}


class Start:
    """Takes the place of Locust's own view, which would let a form set every option that Locust has."""

    def __init__(
        self, environment: Environment, leader: Leader, attendant: Attendant | None, choices: Mapping[str, Scenario]
    ) -> None:
        assert environment.runner is not None
        self._environment = environment
        self._runner = environment.runner
        self._leader = leader
        self._attendant = attendant
        self._choices = choices
        self._is_starting = False

    def replace(self, app: Flask) -> None:
        """Answer instead of Locust, behind the login where there is one."""
        assert self._environment.web_ui is not None
        app.view_functions[ENDPOINT] = self._environment.web_ui.auth_required_if_enabled(self._start)

    def _start(self) -> Response:
        try:
            self._require_idle()
            self._is_starting = True
            try:
                self._begin(request.form)
            finally:
                self._is_starting = False
        except UsageError as error:
            return self._answer(str(error), success=False)
        return self._answer(f"{self._leader.chosen().name} has begun", success=True)

    def _answer(self, message: str, *, success: bool) -> Response:
        sentence = f"{message[:1].upper()}{message[1:]}"
        return jsonify({"success": success, "message": sentence, "host": self._environment.host})

    def _require_idle(self) -> None:
        """Raise `UsageError` when a run is under way in whatever sense."""
        run = self._leader.latest
        if run is not None and not run.is_over:
            raise UsageError(
                f"{run.scenario.name} is running since {run.seconds:,.0f} s, {run.split.rows:,} of "
                f"{run.scenario.requests:,} requests are done: stop it first, or wait for its end"
            )
        if self._is_starting:
            raise UsageError("a run is just being started")
        if self._attendant is not None and self._attendant.is_judging:
            raise UsageError("the last run is still being judged: try again in a few seconds")
        if isinstance(self._runner, MasterRunner) and not self._runner.clients.ready:
            remedy = "start one, and then the run" if self._attendant is None else "end `make web` and start it again"
            raise UsageError(f"no worker is connected: {remedy}")

    def _begin(self, form: Mapping[str, str]) -> None:
        self._heed(form)
        if self._attendant is not None:
            self._ask(self._attendant)
        try:
            self._let_locust_start()
        except BaseException:
            self._stop_what_has_started()
            if self._attendant is not None:
                self._attendant.end()
            raise

    def _heed(self, form: Mapping[str, str]) -> None:
        """Set what the form asks for. Raises `UsageError` when it makes no sense, and then nothing is set."""
        chosen: Any = self._environment.parsed_options
        sizes = {key: _size(form, key, getattr(chosen, key)) for key in SIZES}
        name = str(form.get("scenario", getattr(chosen, "scenario", "")))
        if self._choices and name not in self._choices:
            raise UsageError(f"there is no scenario {name!r}; there are {', '.join(self._choices)}")
        scenario = self._choices[name] if self._choices else self._leader.chosen()
        scenario.scaled(*(size or None for size in sizes.values()))
        self._heed_host(form.get("host", self._environment.host))
        vars(chosen).update(sizes | ({"scenario": name} if self._choices else {}))

    def _heed_host(self, host: str | None) -> None:
        before = self._environment.host
        if self._attendant is not None and host != before:
            raise UsageError(f"requests go to {before}, the stack whose evidence is kept, and not to {host}")
        self._environment.host = host
        try:
            options.server_of(self._environment)
        except UsageError:
            self._environment.host = before
            raise

    def _ask(self, attendant: Attendant) -> None:
        scenario = options.scaled(self._environment, self._leader.chosen())
        allowed = attendant.ask(Asked(scenario=scenario.name, requests=scenario.requests, users=scenario.peak_users))
        chosen: Any = self._environment.parsed_options
        chosen.report_directory, chosen.claim = allowed.directory, allowed.claim

    def _let_locust_start(self) -> None:
        """Begin, and come back when it has begun: a page that asked before would think that nothing goes on."""
        self._leader.begun = AsyncResult()
        self._runner.start_shape()
        try:
            begun = self._leader.begun.get(timeout=BEGINS_WITHIN_S)
        except gevent.Timeout:
            raise UsageError(f"the run did not begin within {BEGINS_WITHIN_S:g} s") from None
        if not begun:
            raise UsageError(self._leader.forget_complaint())

    def _stop_what_has_started(self) -> None:
        """Locust would go on, or believe that it does."""
        shape, self._runner.shape_greenlet = self._runner.shape_greenlet, None
        if shape is not None:
            shape.kill(block=True)
        self._runner.shape_last_tick = None
        self._runner.stop()


def _size(form: Mapping[str, str], key: str, default: int) -> int:
    """A number of the form; 0 where it is to be the scenario's own."""
    what, most = SIZES[key]
    text = form.get(key, str(default)).strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(most)) or int(text) > most:
        raise UsageError(
            f"{what} is {text[:20]!r}, and should be a whole number up to {most:,}; 0 is the scenario's own"
        )
    return int(text)
