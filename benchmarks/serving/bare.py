"""What we are measured by: a Flask view that returns the same bytes and does nothing else, under the same gunicorn."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask, Response, request

ANSWER = "BARE_ANSWER"  # names the file of the bytes


def create_app() -> Flask:
    """The application: any path, any method, always the bytes of the file that BARE_ANSWER names."""
    answer = Path(os.environ[ANSWER]).read_bytes()
    app = Flask("bare", static_folder=None)

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def view(path: str) -> Response:
        request.get_data(cache=False)
        return Response(answer, content_type="application/json")

    return app
