"""Trace: how a list came about, for `debug`. Nothing is recorded where a request does not ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Trace:
    """What happened on the way to a list, in the order in which it happened.

    items    how many items the catalogue has
    removed  mask -> how many items it took from those that the masks before it had left; a mask that took none is left out
    rules    merchandising rule -> what became of it: fired, not now, condition false, RULE_ERROR
    """

    items: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)

    @property
    def eligible(self) -> int:
        """How many items no mask took."""
        return self.items - sum(self.removed.values())

    def masked(self, name: str, taken: int) -> None:
        """A mask of this name took so many items."""
        if taken:
            self.removed[name] = self.removed.get(name, 0) + taken

    def document(self) -> dict[str, Any]:
        """As the answer carries it."""
        return {"items": self.items, "removed": self.removed, "eligible": self.eligible, "rules": self.rules}
