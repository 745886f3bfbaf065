"""Every operation of our own OpenAPI document, asked by schemathesis: no 500, no status, type or shape that the document does not tell.

`make fuzz` asks each 1,000 times or more, the suite 50 times, always the same. tests/service/http/test_fuzz.py asks with what shops have,
and looks at the clock.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.python._constants.orchestrator import build_constants_pool
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service.http.apps import tiny_app

KEY = "admin-key-of-the-tests"
CASES = int(os.environ.get("VALET_FUZZ", "50"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("application/x-ndjson")
def as_lines(_: object, rows: object) -> bytes:
    """A line for each row."""
    return b"\n".join(json.dumps(row).encode() for row in (rows if isinstance(rows, list) else [rows]))


@schemathesis.serializer("application/toml")
def as_text(_: object, text: object) -> bytes:
    """A catalogue of actions, or what is none."""
    return str(text).encode(errors="surrogatepass")


def _shorten(part: object) -> None:
    """A list too long has six items, not the 20,001 that the document asks for: those `make fuzz` and test_recommend_fuzz.py send."""
    if isinstance(part, dict) and isinstance(part.get("maxItems"), int):
        part["maxItems"] = min(part["maxItems"], 5)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _shorten(inner)


FOLDER = TemporaryDirectory(prefix="valet-schemathesis-")  # gone with the process
app = tiny_app(Path(FOLDER.name), keys=(("admin", KEY),))
app.testing = False  # an error is a 500, as it would be for a shop
schema = schemathesis.openapi.from_wsgi("/openapi.json", app, headers={"Authorization": f"Bearer {KEY}"})
schema.config.phases.coverage.enabled = CASES > 50  # every bound of every field: `make fuzz` alone has the time
build_constants_pool(schema)  # what our code compares with, looked for once and not by each operation
if CASES <= 50:
    _shorten(schema.raw_schema)


@settings(
    max_examples=CASES, deadline=None, database=None, derandomize=CASES <= 50, suppress_health_check=list(HealthCheck)
)
def _ask(case: Case) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, checks=CHECKS)


def _tests() -> Iterator[tuple[str, Callable[..., None]]]:
    """A test for each operation, by a name of its own: of tests that share a name, workers beside each other run one."""
    for found in schema.get_all_operations():
        label = found.ok().label
        named = re.sub(r"\W+", "_", label).strip("_").lower()
        yield f"test_{named}_answers_as_the_document_tells", schema.include(name=label).parametrize()(_ask)


globals().update(_tests())
