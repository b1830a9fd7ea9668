"""A password for a web interface that other machines can reach."""

import secrets

import gevent
from flask import redirect, request, session, url_for
from flask_login import UserMixin, login_user
from gevent.lock import Semaphore
from locust.web import WebUI
from werkzeug.wrappers import Response

WRONG_COSTS_S = 1.0  # which makes guessing slow


class Guest(UserMixin):  # type: ignore[misc]
    """A visitor with the password."""

    id = "guest"


def require_password(ui: WebUI, password: str | None) -> None:
    """Let visitors with the password in. Without a password, let no visitor in."""
    app = ui.app
    assert app is not None
    app.config["SECRET_KEY"] = secrets.token_hex()
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    ui.login_manager.user_loader(lambda name: Guest() if name == Guest.id else None)
    ui.auth_args = {
        "custom_form": {
            "inputs": [{"label": "Password", "name": "password", "is_secret": True, "is_required": True}],
            "callback_url": "./proof/login",
            "submit_button_text": "Log in",
        }
    }

    one_at_a_time = Semaphore()

    def log_in() -> Response:
        given = request.form.get("password", "")
        if password is not None and secrets.compare_digest(given.encode(), password.encode()):
            login_user(Guest())
            return redirect(url_for("locust.index"))
        with one_at_a_time:
            gevent.sleep(WRONG_COSTS_S)
        session["auth_error"] = "That is not the password. It was printed where Locust was started."
        return redirect(url_for("locust.login"))

    base = ui.environment.parsed_options.web_base_path if ui.environment.parsed_options is not None else ""
    app.add_url_rule(f"{base}/proof/login", "log_in", log_in, methods=["POST"])
