"""Nobody is known by a cookie: none is set, and nothing can be kept under one."""

from pathlib import Path

import pytest
from flask import session

from tests.service.http.apps import tiny_app


def test_no_answer_sets_a_cookie_and_no_view_can_keep_anything_of_a_visitor(tmp_path: Path) -> None:
    app = tiny_app(tmp_path)
    assert "Set-Cookie" not in app.test_client().get("/recommend?n=1").headers
    with app.test_request_context("/recommend"), pytest.raises(RuntimeError):
        session["visitor"] = "ann"
