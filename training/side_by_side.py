"""A comparison for people and for other programs: lines, JSON, CSV or a page with bars."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import jinja2
import orjson

from models.errors import DiskError
from models.profile import rfc3339
from training.comparison import ALL, MEASURES, Comparison, Row

COLUMNS = (
    "measure",
    "name",
    "tier",
    "live",
    "changed",
    "difference",
    "live_margin",
    "changed_margin",
    "difference_margin",
)


def lines(found: Comparison) -> Iterator[str]:
    """What a terminal shows; tiers alone where they are the point. Of a sample, ± is half of a 95 % interval."""
    yield title(found)
    wide = 12 if found.decided == found.customers else 20
    for measure, rows in groupby(found.rows, key=lambda row: row.measure):
        yield f"{MEASURES[measure]:60} {'live':>{wide}} {'changed':>{wide}} {'difference':>{wide}}"
        for row in rows:
            if row.tier == ALL or measure == "reached":
                yield f"  {_label(row):58} " + " ".join(f"{text:>{wide}}" for text in texts(row))
    for version, pools in zip(("live", "changed"), found.drained, strict=True):
        if pools:
            yield f"drained, {version}: {', '.join(pools)}"


def texts(row: Row) -> tuple[str, str, str]:
    """Live, changed and difference, with their margins where there are any."""
    margins = [f" ±{margin:,.0f}" if margin else "" for margin in row.margins]
    return f"{row.live:,.0f}{margins[0]}", f"{row.changed:,.0f}{margins[1]}", f"{row.difference:+,.0f}{margins[2]}"


def title(found: Comparison) -> str:
    """Whom this is about, when, and which catalogues."""
    whom = f"{found.customers:,} customers"
    if found.decided < found.customers:
        whom += f", from a sample of {found.decided:,} (± half of a 95 % interval)"
    return f"{whom}; {found.channel}, {rfc3339(found.now)}; live {found.versions[0]}, changed {found.versions[1]}"


def _label(row: Row) -> str:
    return row.name if row.tier == ALL and row.name else row.tier if not row.name else f"{row.name} · {row.tier}"


def write(found: Comparison, out: Path) -> None:
    """As the suffix says. Raises DiskError."""
    made = {".json": as_json, ".csv": as_csv, ".html": as_page}[out.suffix](found)
    try:
        out.write_bytes(made)
    except OSError as error:
        raise DiskError(f"{out}: {error.strerror}. Name a writable file with --out.") from error


def as_json(found: Comparison) -> bytes:
    """All of it."""
    document = {
        "channel": found.channel,
        "at": rfc3339(found.now),
        "customers": found.customers,
        "decided": found.decided,
        "live": {"catalogue_version": found.versions[0], "drained": found.drained[0]},
        "changed": {"catalogue_version": found.versions[1], "drained": found.drained[1]},
        "rows": [dict(zip(COLUMNS, _plain(row), strict=True)) for row in found.rows],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_csv(found: Comparison) -> bytes:
    """The rows."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(_plain, found.rows))
    return text.getvalue().encode()


def _plain(row: Row) -> tuple[object, ...]:
    return (*row[:3], *(round(number, 2) for number in (row.live, row.changed, row.difference, *row.margins)))


def as_page(found: Comparison) -> bytes:
    """A page that needs nothing from elsewhere."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True
    )
    groups = [
        (MEASURES[measure], [(_label(row), row, texts(row), row.tier != ALL) for row in rows], top)
        for measure, rows, top in _groups(found)
    ]
    return environment.get_template("side_by_side.html").render(title=title(found), found=found, groups=groups).encode()


def _groups(found: Comparison) -> Iterator[tuple[str, list[Row], float]]:
    for measure, rows in groupby(found.rows, key=lambda row: row.measure):
        own = list(rows)
        yield measure, own, max(abs(number) for row in own for number in (row.live, row.changed)) or 1.0
