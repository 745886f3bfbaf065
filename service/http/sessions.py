"""No sessions: nobody is known by a cookie. Flask opens one for each request and looks whether it must be saved; here it is always the same."""

from __future__ import annotations

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface, SessionMixin


class NoSessions(SessionInterface):
    """One empty session for all requests; it cannot be written to."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """The empty one."""
        return self._none

    def is_null_session(self, obj: object) -> bool:
        """Always: there is no other."""
        return True

    def save_session(self, app: Flask, session: SessionMixin, response: object) -> None:
        """Never asked for."""
