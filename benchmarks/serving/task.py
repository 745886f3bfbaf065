"""What a task is run with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.serving.rows import Bound


@dataclass(frozen=True)
class Task:
    """One kind of store, some sizes of shops.

    seconds  of each turn under load     factors  of every shop; None: as training chooses them
    folder   what may be written         worlds   where shops are kept from run to run
    """

    store: str
    sizes: Sequence[int]
    workers: int
    seconds: float
    folder: Path
    worlds: Path
    customers: int
    factors: int | None = None
    minutes: float = 15.0  # of a soak
    requests: int = 200_000  # over which memory must not grow

    def place(self, items: int) -> str:
        """How a row names it."""
        return f"{items:,} items · {self.store} · {self.workers} worker{'s' * (self.workers > 1)}"

    def gated(self, asked: Mapping[str, Bound]) -> Mapping[str, Bound]:
        """What is asked holds for one worker; more are reported."""
        return asked if self.workers == 1 else {}

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder."""
        with TemporaryDirectory(prefix="valet-serving-", dir=self.folder) as folder:
            yield Path(folder)
