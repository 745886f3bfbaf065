"""The Flask application. What Flask finds out anew for each request, and is always the same here, is found out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from inspect import unwrap
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.routing import MapAdapter, Rule

from service.http.sessions import NoSessions

if TYPE_CHECKING:
    from flask.sansio.blueprints import Blueprint

MOST_BYTES = 1 << 20  # of a body; a batch sets its own


class Asked(Request):
    """A request."""

    blueprints: tuple[str, ...] = ()  # type: ignore[assignment]  # whose hooks it passes: none has its own
    max_content_length: int | None = MOST_BYTES

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The query. Raises BadRequest where bytes stand in it that are no text."""
        try:
            return super().args
        except UnicodeDecodeError as error:
            raise BadRequest("The query is not UTF-8; percent-encode it.") from error


class Known:
    """Routes for a request whose rule is known; werkzeug's own are made where more is asked of them: an address, to write it down."""

    def __init__(self, rule: Rule, whole: Callable[[], Any]) -> None:
        self._rule = rule
        self._whole = whole

    def match(self, *_: object, **__: object) -> tuple[Rule, dict[str, Any]]:
        """The rule, and that its path holds no id."""
        return self._rule, {}

    def __getattr__(self, name: str) -> Any:
        """As werkzeug says it."""
        return getattr(self._whole(), name)


class App(Flask):
    """The service over HTTP."""

    request_class = Asked
    session_interface = NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: none is a coroutine, and flask looks seven times a request."""
        return func

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Answer at its addresses, by the views themselves: flask-smorest's `doc` wraps them in functions that only call them."""
        super().register_blueprint(blueprint, **options)
        self.view_functions = {name: unwrap(view) for name, view in self.view_functions.items()}

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Routes for this request; it is matched part by part only where its path holds an id, or nothing stands there."""
        rule = self._plain.get((request.method, request.path)) if request else None
        if rule is None:
            return super().create_url_adapter(request)
        return cast(MapAdapter, Known(rule, partial(super().create_url_adapter, request)))

    @cached_property
    def _plain(self) -> dict[tuple[str, str], Rule]:
        """The rules without an id, by method and path; OPTIONS asks for all that stand at a path."""
        rules = [rule for rule in self.url_map.iter_rules() if not rule.arguments]
        return {(method, rule.rule): rule for rule in rules for method in (rule.methods or set()) - {"OPTIONS"}}
