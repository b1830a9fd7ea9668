"""The additions to Locust's web interface: two tabs, their contents, the reports, and reasons for refusals."""

import csv
import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import gevent
import locust.stats
from flask import Flask, Response, request, send_from_directory
from locust.env import Environment

from locustfiles.generator.master import Master
from locustfiles.generator.records.live_split import SplitRow
from locustfiles.web import guard, login
from locustfiles.web.page_state import PageState
from locustfiles.web.parent import ParentProcess
from locustfiles.web.report_files import ReportFiles
from locustfiles.web.start import Start
from scenarios.formats.columns import header

HERE = Path(__file__).parent
TABS = {"distribution": "Distribution", "verdict": "Verdict"}
INTO_THE_HEAD = (
    '<link rel="stylesheet" href="./proof/panel.css"><script src="./proof/panel.js"></script>'  # before Locust's own
)
LISTENS_WITHIN_S = 0.02


class WebExtension:
    """Adds them to one Locust. Without the process of `make web` a run is not judged, and the page says so."""

    def __init__(self, environment: Environment, master: Master, choices: Sequence[str]) -> None:
        assert environment.web_ui is not None
        assert environment.web_ui.app is not None
        options = environment.parsed_options
        self._environment = environment
        self._ui = environment.web_ui
        self._master = master
        self._parent = ParentProcess(self._quit) if options is not None and options.web_parent else None
        self._files = ReportFiles()
        self._state = PageState(master, self._parent, self._files, choices)
        if self._parent is not None:
            environment.events.test_stop.add_listener(self._end_run)
            locust.stats.console_logger.disabled = True  # it prints a table of the last run, which has a report
            gevent.spawn(self._say_when_listening, self._parent)
        app = environment.web_ui.app
        guard.same_origin_only(app)
        if self._ui.web_login:
            login.require_password(self._ui, self._parent.password if self._parent is not None else None)
        elif self._parent is not None:
            guard.this_machine_only(app)
        Start(environment, master, self._parent, choices).replace(app)
        self._add_routes(app)
        app.after_request(self._add_to_the_page)
        self._ui.template_args["extended_tabs"] = [{"key": key, "title": title} for key, title in TABS.items()]
        self._ui.template_args["extended_csv_files"] = [
            {"href": "./proof/distribution.csv", "title": "Download distribution CSV"}
        ]

    def _add_routes(self, app: Flask) -> None:
        base = self._environment.parsed_options.web_base_path if self._environment.parsed_options is not None else ""
        for path, view in {
            "/proof/state": self._show_state,
            "/proof/distribution.csv": self._download_distribution,
            "/proof/<any('panel.css', 'panel.js'):name>": self._send_panel,
            "/proof/reports/<run>/<name>": self._send_report_file,
        }.items():
            app.add_url_rule(f"{base}{path}", view.__name__, self._ui.auth_required_if_enabled(view))

    def _show_state(self) -> Response:
        text = json.dumps(self._state.document(), separators=(",", ":"))  # Flask would indent it, and take longer
        return Response(text, mimetype="application/json")

    def _send_panel(self, name: str) -> Response:
        return send_from_directory(HERE, name, max_age=0)

    def _download_distribution(self) -> Response:
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header(SplitRow))
        if self._master.latest is not None:
            writer.writerows(self._master.latest.split.table())
        headers = {"Content-Disposition": "attachment; filename=distribution.csv"}
        return Response(text.getvalue(), mimetype="text/csv", headers=headers)

    def _send_report_file(self, run: str, name: str) -> Response:
        path = self._files.find(run, name)
        if path is None:
            return Response("there is no such file\n", 404, mimetype="text/plain")
        return send_from_directory(path.parent, path.name, max_age=0)

    def _add_to_the_page(self, response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "frame-ancestors 'none'"
        if request.endpoint == "locust.index" and response.mimetype == "text/html":
            response.set_data(response.get_data(as_text=True).replace("<head>", f"<head>{INTO_THE_HEAD}", 1))
        return response

    def _end_run(self, **_: object) -> None:
        """Add Locust's own numbers to the evidence, counted since their last reset."""
        assert self._parent is not None
        try:
            self._write_locusts_numbers()
        except OSError as error:
            self._master.report_error(error)
        finally:
            self._parent.end()

    def _write_locusts_numbers(self) -> None:
        run, runner = self._master.latest, self._environment.runner
        if run is not None and runner is not None and run.directory.path.is_dir():
            numbers = [
                entry.serialize() for entry in runner.stats.entries.values()
            ]  # Locust's own way of writing them empties them
            (run.directory.path / "locust.json").write_text(json.dumps(numbers, indent=4), encoding="utf-8")

    def _say_when_listening(self, parent: ParentProcess) -> None:
        while self._ui.server is None or not self._ui.server.started:
            gevent.sleep(LISTENS_WITHIN_S)
        parent.listening()

    def _quit(self) -> None:
        """End Locust: the process that started it asks for that, or has ended."""
        assert self._environment.runner is not None
        self._master.interrupt()
        self._environment.runner.quit()
        self._ui.stop()
