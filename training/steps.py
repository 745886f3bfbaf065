"""The steps of a run: what each took, said as they pass."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from training.progress import PATIENCE_S, Progress


class Steps:
    """`with steps("read"):` names a step as it begins and says how long it took; `seconds` keeps that.

    Progress goes to standard error (within a step by `say`), results to standard output by `tell`.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.say = Progress(sys.stderr)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self._note(f"{name} …")
        self.say = Progress(sys.stderr)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.say.done()
            self.seconds[name] = round(time.perf_counter() - start, 3)
        if self.seconds[name] > PATIENCE_S:
            self._note(f"{name}: {self.seconds[name]:.1f} s")

    def tell(self, text: str) -> None:
        """A line of result."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def _note(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
