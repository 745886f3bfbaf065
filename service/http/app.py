"""The Flask application. What Flask finds out anew for each request, and is always the same here, is found out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from inspect import unwrap
from typing import TYPE_CHECKING, Any

from flask import Flask, Request
from werkzeug.routing import MapAdapter, Rule
from werkzeug.sansio.utils import get_host

from service.http.sessions import NoSessions

if TYPE_CHECKING:
    from flask.sansio.blueprints import Blueprint

_host = lru_cache(maxsize=256)(get_host)  # two patterns, for names that come again and again


class Asked(Request):
    """A request."""

    blueprints: tuple[str, ...] = ()  # type: ignore[assignment]  # whose hooks it passes: none has its own


class Known(MapAdapter):
    """Routes for a request whose rule is known."""

    rule: Rule

    def match(self, *_: object, **__: object) -> Any:
        """The rule, and that its path holds no id."""
        return self.rule, {}


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
        if request is None or rule is None:
            return super().create_url_adapter(request)
        request.host = _host(request.scheme, request.environ.get("HTTP_HOST"), request.server)
        known = Known(self.url_map, request.host, request.root_path, "", request.scheme, request.path, request.method)
        known.rule = rule
        return known

    @cached_property
    def _plain(self) -> dict[tuple[str, str], Rule]:
        """The rules without an id, by method and path; OPTIONS asks for all that stand at a path."""
        rules = [rule for rule in self.url_map.iter_rules() if not rule.arguments]
        return {(method, rule.rule): rule for rule in rules for method in (rule.methods or set()) - {"OPTIONS"}}
