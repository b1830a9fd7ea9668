"""The start of a run from the form: checked, allowed and begun, or refused with a reason that the form shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import gevent
from flask import Flask, Response, jsonify, request
from gevent.event import AsyncResult
from locust.env import Environment
from locust.runners import MasterRunner

from locustfiles.generator import options
from locustfiles.generator.master import Master
from locustfiles.web.parent import ParentProcess
from scenarios.formats.messages import RunRequested
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import MOST_REQUESTS, MOST_USERS, Scenario

ENDPOINT = "locust.swarm"
BEGINS_WITHIN_S = 30.0
SIZES = {
    "scale_requests": ("the number of requests", MOST_REQUESTS),
    "scale_users": ("the number of users", MOST_USERS),
}


class Start:
    """Replaces Locust's own view, which lets a form set every option of Locust."""

    def __init__(
        self, environment: Environment, master: Master, parent: ParentProcess | None, choices: Sequence[str]
    ) -> None:
        assert environment.runner is not None
        self._environment = environment
        self._runner = environment.runner
        self._master = master
        self._parent = parent
        self._choices = choices
        self._is_starting = False

    def replace(self, app: Flask) -> None:
        """Put this view in the place of Locust's, behind the login where there is one."""
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
        return self._answer(f"{self._master.chosen().name} has begun", success=True)

    def _answer(self, message: str, *, success: bool) -> Response:
        sentence = f"{message[:1].upper()}{message[1:]}"
        return jsonify({"success": success, "message": sentence, "host": self._environment.host})

    def _require_idle(self) -> None:
        """Raise `UsageError` when a run goes on, is being started or judged, or has no worker."""
        run = self._master.latest
        if run is not None and not run.is_over:
            raise UsageError(
                f"{run.scenario.name} has been running for {run.seconds:,.0f} s, {run.split.requests:,} of "
                f"{run.scenario.requests:,} requests are done: stop it first, or wait for its end"
            )
        if self._is_starting:
            raise UsageError("another run is just being started")
        if self._parent is not None and self._parent.is_judging:
            raise UsageError("the last run is still being judged: try again in a few seconds")
        if isinstance(self._runner, MasterRunner) and not self._runner.clients.ready:
            remedy = "start one, and then the run" if self._parent is None else "end `make web` and start it again"
            raise UsageError(f"no worker is connected: {remedy}")

    def _begin(self, form: Mapping[str, str]) -> None:
        self._apply(form)
        if self._parent is not None:
            self._ask(self._parent)
        try:
            self._let_locust_start()
        except BaseException:
            self._stop_what_has_started()
            if self._parent is not None:
                self._parent.end()
            raise

    def _apply(self, form: Mapping[str, str]) -> None:
        """Set the options of the form. Raises `UsageError` for a wrong value, and then sets none."""
        chosen: Any = self._environment.parsed_options
        sizes = {key: _size(form, key, getattr(chosen, key)) for key in SIZES}
        name = str(form.get("scenario", getattr(chosen, "scenario", "")))
        if self._choices and name not in self._choices:
            raise UsageError(f"there is no scenario {name!r}; there are {', '.join(self._choices)}")
        scenario = Scenario.load(name) if self._choices else self._master.chosen()
        scenario.scaled(*(size or None for size in sizes.values()))
        self._apply_host(form.get("host", self._environment.host), scenario)
        vars(chosen).update(sizes | ({"scenario": name} if self._choices else {}))

    def _apply_host(self, host: str | None, scenario: Scenario) -> None:
        before = self._environment.host
        if self._parent is not None and host != before:
            raise UsageError(f"requests go to {before}, the stack that keeps the evidence, and not to {host}")
        self._environment.host = host
        try:
            options.target_of(self._environment, scenario)
        except UsageError:
            self._environment.host = before
            raise

    def _ask(self, parent: ParentProcess) -> None:
        scenario = options.scaled(self._environment, self._master.chosen())
        allowed = parent.ask(
            RunRequested(scenario=scenario.name, requests=scenario.requests, users=scenario.peak_users)
        )
        chosen: Any = self._environment.parsed_options
        chosen.report_directory, chosen.claim = allowed.directory, allowed.claim

    def _let_locust_start(self) -> None:
        """Begin the run, and wait until it has begun: before that, a page would show that no run goes on."""
        self._master.begun = AsyncResult()
        self._runner.start_shape()
        try:
            begun = self._master.begun.get(timeout=BEGINS_WITHIN_S)
        except gevent.Timeout:
            raise UsageError(f"the run did not begin within {BEGINS_WITHIN_S:g} s") from None
        if not begun:
            raise UsageError(self._master.take_error())

    def _stop_what_has_started(self) -> None:
        """Stop what Locust has started: it would go on, or show that it does."""
        shape, self._runner.shape_greenlet = self._runner.shape_greenlet, None
        if shape is not None:
            shape.kill(block=True)
        self._runner.shape_last_tick = None
        self._runner.stop()


def _size(form: Mapping[str, str], key: str, default: int) -> int:
    """A number of the form; 0 means the scenario's own number."""
    what, most = SIZES[key]
    text = form.get(key, str(default)).strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(most)) or int(text) > most:
        raise UsageError(
            f"{what} is {text[:20]!r}, and should be a whole number up to {most:,}; 0 means the scenario's own"
        )
    return int(text)
