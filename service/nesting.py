"""How deep a document may be nested that callers write as they like: what is deeper than some 250 levels is never written as JSON again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

MOST_LEVELS = 16
TOO_DEEP = f"is nested deeper than {MOST_LEVELS} levels; send it flatter"


def too_deep(value: Any, levels: int = MOST_LEVELS) -> bool:
    """Whether objects and lists stand in one another more than so many levels deep."""
    if not isinstance(value, dict | list):
        return False
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(too_deep(one, levels - 1) for one in inner)


def cut(value: Any, levels: int) -> Any:
    """The same, where what stands deeper than so many levels is a text."""
    if not isinstance(value, dict | list | tuple):
        return value
    if levels == 0:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return {name: cut(one, levels - 1) for name, one in value.items()}
    return [cut(one, levels - 1) for one in value]
