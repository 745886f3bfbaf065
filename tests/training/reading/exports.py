"""Exports of tills, as files in a folder, and what is read of them."""

from datetime import UTC, datetime
from pathlib import Path

from models.settings import HistorySettings, Shop
from training.read import Reading, read

NOW = int(datetime(2012, 1, 1, tzinfo=UTC).timestamp())


def at(text: str) -> int:
    """Seconds since 1970 of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def reading(folder: Path, *files: str | bytes, name: str = "{}.csv", **options) -> Reading:
    """The files' contents, read as history files in a folder of their own."""
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(files):
        (folder / name.format(number)).write_bytes(content.encode() if isinstance(content, str) else content)
    settings = HistorySettings(day_first=options.pop("day_first", False))
    given = {"columns": {}, "settings": settings, "shop": Shop(), "now": NOW, "threads": 1}
    found = read([str(folder)] if files else [], **(given | options))
    assert found.counts["rows"] == found.counts["kept"] + found.counts["refused"]
    assert found.counts["kept"] == len(found.history)
    return found


def rows(found: Reading) -> list[tuple[str | None, str, float]]:
    """(customer, item, quantity) of the kept rows, in their order."""
    history = found.history
    who = [history.customers.text(row) if row >= 0 else None for row in history.customer]
    return list(zip(who, history.items.texts(history.item), history.quantity.tolist(), strict=True))


def refused(found: Reading) -> dict[str, int]:
    """Reason -> how many rows."""
    return {refusal.reason: refusal.count for refusal in found.refusals}


HEAD = "customer_id,item_id,order_id,time,quantity,price\n"
GOOD = HEAD + "ann,A,1,2011-05-01 10:00:00,2,3.50\nbob,B,2,2011-05-02 11:30:00,1,10\n"
