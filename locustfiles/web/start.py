"""The start of a run from the form: checked, allowed and begun, or refused in words that the form shows."""

from collections.abc import Mapping
from typing import Any, cast

import gevent
from flask import Flask, Response, jsonify, request
from locust.env import Environment
from locust.runners import MasterRunner

from locustfiles.attendant import Attendant
from locustfiles.leader import Leader
from scenarios.attendance import Asked
from scenarios.definition import Scenario, names
from scenarios.errors import UsageError

ENDPOINT = "locust.swarm"
BEGINS_WITHIN_S = 30.0
SIZES = {"scale_requests": "the number of requests", "scale_users": "the number of users"}


class Start:
    """Takes the place of Locust's own way to start, and then lets that do it."""

    def __init__(self, environment: Environment, leader: Leader, attendant: Attendant | None) -> None:
        assert environment.runner is not None
        self._environment = environment
        self._runner = environment.runner
        self._leader = leader
        self._attendant = attendant
        self._is_starting = False

    def replace(self, app: Flask) -> None:
        """Stand before Locust's view, behind the login where there is one."""
        self._locusts_own = app.view_functions[ENDPOINT]
        assert self._environment.web_ui is not None
        app.view_functions[ENDPOINT] = self._environment.web_ui.auth_required_if_enabled(self._start)

    def _start(self) -> Response:
        try:
            self._require_idle()
            self._is_starting = True
            try:
                return self._begin(request.form)
            finally:
                self._is_starting = False
        except UsageError as error:
            return jsonify({"success": False, "message": _capitalised(str(error)), "host": self._environment.host})

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

    def _begin(self, form: Mapping[str, str]) -> Response:
        scenario = self._asked_for(form)
        if isinstance(self._runner, MasterRunner) and not self._runner.clients.ready:
            raise UsageError("no worker is connected: start one, and then the run")
        if self._attendant is not None:
            self._ask(self._attendant, scenario)
        try:
            return self._let_locust_start()
        except BaseException:
            if self._attendant is not None:
                self._attendant.end()
            raise

    def _ask(self, attendant: Attendant, scenario: Scenario) -> None:
        allowed = attendant.ask(Asked(scenario=scenario.name, requests=scenario.requests, users=scenario.peak_users))
        options: Any = self._environment.parsed_options
        options.report_directory, options.claim = allowed.directory, allowed.claim

    def _let_locust_start(self) -> Response:
        """Begin, and answer when it has begun: a page that asked before would think that nothing goes on."""
        self._leader.begun = gevent.event.AsyncResult()
        response = cast("Response", self._locusts_own())
        try:
            begun = self._leader.begun.get(timeout=BEGINS_WITHIN_S)
        except gevent.Timeout:
            raise UsageError(f"the run did not begin within {BEGINS_WITHIN_S:g} s") from None
        if not begun:
            raise UsageError(self._leader.complaint)
        return response

    def _asked_for(self, form: Mapping[str, str]) -> Scenario:
        """What the form asks for. Raises `UsageError` when it makes no sense."""
        options: Any = self._environment.parsed_options
        chosen = getattr(options, "scenario", None)
        if chosen is not None:
            name = form.get("scenario", chosen)
            if name not in names():
                raise UsageError(f"there is no scenario {name!r}; there are {', '.join(names())}")
            options.scenario = name
        host = form.get("host", self._environment.host)
        if self._attendant is not None and host != self._environment.host:
            raise UsageError(
                f"requests go to {self._environment.host}, the stack whose evidence is kept, and not to {host}"
            )
        return self._leader.chosen().scaled(*(_size(form, key, getattr(options, key)) for key in SIZES))


def _size(form: Mapping[str, str], key: str, default: int) -> int | None:
    """A number of the form; None where it is to be the scenario's own."""
    text = form.get(key, str(default)).strip()
    if not text.isdecimal():
        raise UsageError(f"{SIZES[key]} is {text!r}, and should be a whole number; 0 is the scenario's own")
    return int(text) or None


def _capitalised(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}"
