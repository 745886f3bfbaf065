"""Fields of one row of input, read one by one; what is wrong with them is collected, so that a caller hears all of it at once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, TypeVar

import orjson

T = TypeVar("T")

LONGEST = 4_000  # characters of an id
SKEW_S = 300  # how far a caller's clock may be ahead
YEAR_1990_S = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
MOST_MONEY = 10**12  # major units: sums of minor ones still fit 64 bits
MINOR = 100


class Fields:
    """One row and the errors found in it so far: field -> messages. A field that is missing or wrong reads as None."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self.errors: dict[str, list[str]] = {}

    def wrong(self, name: str, message: str) -> None:
        """Something is wrong with a field."""
        if message not in self.errors.setdefault(name, []):
            self.errors[name].append(message)

    def text(self, name: str, *, longest: int = LONGEST) -> str | None:
        """An id or another short text; a whole number counts as its digits."""
        value = self.row.get(name)
        if type(value) is str and 0 < len(value) <= longest:  # nearly every one
            return value
        return None if value is None else self._read(name, lambda value: _text(value, longest))

    def number(self, name: str, *, above: float = -math.inf, most: float = math.inf) -> float | None:
        """A finite number, or a text that is one."""
        return (
            None
            if self.row.get(name) is None
            else self._read(name, lambda value: _number(value, above=above, most=most))
        )

    def money(self, name: str) -> Decimal | None:
        """An amount in major units, exactly as written."""
        return self._read(name, _money)

    def currency(self, shop: str | None) -> str | None:
        """The currency, which must be the shop's where that is known."""
        if self.row.get("currency") is None:
            return None
        return self._read("currency", lambda value: _currency(value, shop))

    def time(self, name: str, *, now: int, max_age_days: int = 0) -> int | None:
        """A time in RFC 3339 as seconds since 1970. A caller's clock may be a little ahead; `max_age_days` 0: any age."""
        return self._read(name, lambda value: _within(_moment(value), value, now, max_age_days))

    def microseconds(self, name: str, *, now: int, max_age_days: int = 0) -> int | None:
        """The same for a time as Google Analytics counts it: microseconds since 1970."""
        return self._read(name, lambda value: _within(int(_number(value) // 1_000_000), value, now, max_age_days))

    def _read(self, name: str, convert: Callable[[Any], T]) -> T | None:
        value = self.row.get(name)
        if value is None:
            return None
        try:
            return convert(value)
        except ValueError as error:
            self.wrong(name, str(error))
            return None


def minor(amount: Decimal) -> int:
    """Major units of money as minor ones; half a unit goes up."""
    return int((amount * MINOR).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def digest(value: Any) -> str:
    """32 hexadecimal digits that tell one JSON value from another."""
    return blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _text(value: Any, longest: int) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"{brief(value)} is not a text")
    if not value:
        raise ValueError("is empty; leave it out or name it")
    if len(value) > longest:
        raise ValueError(f"has {len(value)} characters; at most {longest} are taken")
    return value


def _number(value: Any, *, least: float = -math.inf, above: float = -math.inf, most: float = math.inf) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{brief(value)} is not a number")
    if number < least:
        raise ValueError(f"{brief(value)} must be at least {least:g}")
    if number <= above:
        raise ValueError(f"{brief(value)} must be above {above:g}")
    if number > most:
        raise ValueError(f"{brief(value)} must be at most {most:g}")
    return number


def _money(value: Any) -> Decimal:
    if _number(value, least=0.0) >= MOST_MONEY:
        raise ValueError(f"{brief(value)} is more money than there is")
    try:
        return Decimal(str(value).strip())
    except InvalidOperation as error:  # an exponent of twenty digits
        raise ValueError(f"{brief(value)} is not a number") from error


def _currency(value: Any, shop: str | None) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]{3}", value):
        raise ValueError(f"{brief(value)} is not a currency, like THB")
    if shop is not None and value.upper() != shop.upper():
        raise ValueError(f"{value} is not the shop's currency {shop}; convert the amounts before sending")
    return value.upper()


def _moment(value: Any) -> int:
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        raise ValueError(f"{brief(value)} is not a time; write RFC 3339, like 2026-11-21T02:15:00Z")
    try:
        return math.floor(datetime.fromisoformat(value.upper()).timestamp())
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{brief(value)} is no time of any calendar") from error


def _within(at: int, value: Any, now: int, max_age_days: int) -> int:
    if at > now + SKEW_S:
        raise ValueError(f"{brief(value)} is in the future; mend the sender's clock")
    if at < YEAR_1990_S:
        raise ValueError(f"{brief(value)} is before 1990; mend the sender's clock")
    if max_age_days and at < now - max_age_days * 86_400:
        raise ValueError(
            f"{brief(value)} is too old: older than {max_age_days} days; import it with training, or raise event_max_age_days"
        )
    return min(at, now)


def brief(value: object) -> str:
    """A value as messages show it."""
    try:
        text = repr(value)
    except RecursionError:
        return f"a {type(value).__name__} in which others are nested too deep"
    return text if len(text) <= 60 else f"{text[:57]}…"
