"""What is found out once is what Flask would find out each time."""

from __future__ import annotations

import pytest
from flask import Flask, url_for

from tests.service.http.apps import tiny_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return tiny_app(tmp_path_factory.mktemp("app"))


def test_every_route_without_an_id_is_the_one_that_werkzeug_finds(app: Flask) -> None:
    found = 0
    for rule in app.url_map.iter_rules():
        for method in rule.methods if not rule.arguments else ():
            with app.test_request_context(rule.rule, method=method) as context:
                matched, values = app.url_map.bind_to_environ(context.request.environ).match(return_rule=True)
                assert (context.request.url_rule, context.request.view_args) == (matched, values), (method, rule.rule)
            found += 1
    assert found > 40


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("POST", "/livez", 405, {"GET", "HEAD", "OPTIONS"}),
        ("OPTIONS", "/recommend", 200, {"GET", "HEAD", "POST", "OPTIONS"}),
        ("OPTIONS", "/customers/ann", 200, None),
        ("GET", "/recommend/", 404, None),
        ("GET", "/nowhere", 404, None),
        ("get", "/livez", 200, None),
        ("GET", "/customers//timeline", 308, None),
    ],
)
def test_what_stands_nowhere_or_is_asked_otherwise_is_answered_as_ever(
    app: Flask, method: str, path: str, status: int, allow: set[str] | None
) -> None:
    answer = app.test_client().open(path, method=method)
    assert answer.status_code == status
    if allow:
        assert set(answer.headers["Allow"].split(", ")) == allow


def test_a_view_can_name_addresses_of_the_host_that_was_asked(app: Flask) -> None:
    with app.test_request_context("/livez", base_url="https://shop.example:8443"):
        assert url_for("operations.livez") == "/livez"
        assert url_for("operations.livez", _external=True) == "https://shop.example:8443/livez"


def test_no_view_is_called_through_another_function(app: Flask) -> None:
    assert not [name for name, view in app.view_functions.items() if hasattr(view, "__wrapped__")]


def test_no_blueprint_has_hooks_or_error_handlers_of_its_own_because_nobody_would_call_them(app: Flask) -> None:
    hooks = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs, app.url_value_preprocessors)
    assert not [name for kind in (*hooks, app.error_handler_spec) for name in kind if name is not None]
