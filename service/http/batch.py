"""NDJSON batches: one request a line in, one answer a line out, any number of lines in little memory.

The input is spooled first: a client that sends all before it reads would wait for a server that answers while it reads. Customers are
read a chunk of lines at a time, in one round trip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, Any, TypeVar

import orjson
from flask import request
from marshmallow import ValidationError

from models.errors import DiskError
from service.http.bodies import parts
from service.lists.request import Request
from service.people.customers import Known, visitors
from service.store import Store

MOST_BYTES = 1 << 30
MOST_LINE = 1 << 20
IN_MEMORY = 4 << 20
CHUNK = 64

NO_ROOM = {"507": {"description": "The disk of the service has no room for the body: nothing was done"}}

Asked = TypeVar("Asked")
Line = tuple[int, Request | dict[str, Any]]  # its number, and the request in it or what is wrong with it


def spooled() -> IO[bytes]:
    """The whole body of this request, on disk where it is long; 413 where it is longer than MOST_BYTES, DiskError where there is no room."""
    request.max_content_length = MOST_BYTES
    spool: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  (answer_lines closes it)
    for part in (rest := parts(request)):
        try:
            spool.write(part)
        except OSError as error:
            spool.close()
            for _ in rest:
                pass  # who sends all before it reads would not read the answer
            raise DiskError(f"{gettempdir()}: {error.strerror}") from error
    spool.seek(0)
    return spool


def answer_lines(
    lines: IO[bytes],
    *,
    ask: Callable[[Any], Request],
    answers: Callable[[Sequence[tuple[Request, Known]]], Iterator[Mapping[str, Any]]],
    store: Store | None,
) -> Iterator[bytes]:
    """An answer for each line that is not blank, in their order, and a last line that says that all are there.

    `answers` answers many at once. A bad line is answered by what is wrong with it, and harms no other.
    """
    asked, count = _asked(lines, ask), 0
    with lines:
        while chunk := list(islice(asked, CHUNK)):
            for number, found in _answered(chunk, answers, store):
                yield orjson.dumps(
                    {"line": number, **found}, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
                )
            count += len(chunk)
        yield orjson.dumps({"done": True, "count": count}, option=orjson.OPT_APPEND_NEWLINE)


def requests(spool: IO[bytes], ask: Callable[[Any], Asked]) -> Iterator[tuple[int, Asked | dict[str, Any]]]:
    """All lines of a body from its first, as requests or as what is wrong with them; may be gone through again."""
    spool.seek(0)
    return _asked(spool, ask)


def answered(spool: IO[bytes], answers: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterator[bytes]:
    """These answers as lines, and a last one that says that all are there; then the body is let go."""
    count = 0
    with spool:
        for number, found in answers:
            count += 1
            yield orjson.dumps({"line": number, **found}, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)
        yield orjson.dumps({"done": True, "count": count}, option=orjson.OPT_APPEND_NEWLINE)


def _answered(
    chunk: Sequence[Line],
    answers: Callable[[Sequence[tuple[Request, Known]]], Iterator[Mapping[str, Any]]],
    store: Store | None,
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    asked = [part for _, part in chunk if isinstance(part, Request)]
    known = visitors(store, [(part.customer_id, part.session_id) for part in asked])
    found = answers(list(zip(asked, known, strict=True)))
    for number, part in chunk:
        yield number, next(found) if isinstance(part, Request) else part


def _asked(lines: IO[bytes], ask: Callable[[Any], Asked]) -> Iterator[tuple[int, Asked | dict[str, Any]]]:
    for number, line in enumerate(_lines(lines), start=1):
        if line is None:
            yield number, {"error": f"longer than {MOST_LINE} bytes"}
        elif line.strip():
            yield number, _parsed(line, ask)


def _parsed(line: bytes, ask: Callable[[Any], Asked]) -> Asked | dict[str, Any]:
    try:
        return ask(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        return {"error": f"not JSON: {error}"}
    except ValidationError as error:
        return {"error": f"mend {', '.join(map(str, error.messages_dict))}", "errors": error.messages_dict}


def _lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """The lines of a stream; None for one that is too long."""
    while line := stream.readline(MOST_LINE):
        if line.endswith(b"\n") or len(line) < MOST_LINE:
            yield line
            continue
        while (rest := stream.readline(MOST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield None
