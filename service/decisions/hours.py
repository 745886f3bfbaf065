"""Hours: when a message may go out, on her clock. Quiet hours put it off; what would then be too old is not sent at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.actions import Channel

ZONES = ("time_zone", "timezone")  # attributes that may name hers


def zone_of(attributes: Mapping[str, Any], shop: tzinfo) -> tzinfo:
    """Her time zone, where an attribute names one that exists; else the shop's."""
    said = next((attributes[name] for name in ZONES if isinstance(attributes.get(name), str)), None)
    try:
        return shop if said is None else ZoneInfo(said)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return shop


def not_before(way: Channel, *, zone: tzinfo, now: int, hour: int | None = None) -> int | None:
    """When a message may go out at the earliest, seconds since 1970; None: now. Inbound, there is nothing to wait for.

    hour  of her day, 0-23, at which she is best reached; waited for as long as the message is still valid then
    """
    if not way.outbound:
        return None
    local = datetime.fromtimestamp(now, zone)
    wished = local if hour is None or local.hour == hour else _next(local, time(hour))
    if (wished - local).total_seconds() >= way.valid_minutes * 60:
        wished = local
    allowed = _after_quiet(way, wished)
    return None if allowed <= local else round(allowed.astimezone(UTC).timestamp())


def too_late(way: Channel, *, zone: tzinfo, now: int) -> bool:
    """Whether what is decided now would be out of date at the end of the quiet hours."""
    if not way.outbound or not way.quiet:
        return False
    local = datetime.fromtimestamp(now, zone)
    return (_after_quiet(way, local) - local).total_seconds() >= way.valid_minutes * 60


def _after_quiet(way: Channel, local: datetime) -> datetime:
    """The moment, or the end of the quiet hours that it lies in."""
    if not way.quiet:
        return local
    start, end = (time.fromisoformat(hour) for hour in way.quiet)
    clock = local.time()
    quiet = start <= clock < end if start < end else clock >= start or clock < end
    return _next(local, end) if quiet else local


def _next(local: datetime, clock: time) -> datetime:
    """The next time that her clock shows this."""
    there = local.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return there if there > local else there + timedelta(days=1)
