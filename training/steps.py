"""The steps of a run: what each took, said as they pass."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from training.progress import Progress


class Steps:
    """`with steps("read"):` measures a step into `seconds`; what it says within goes to standard error, results to standard output."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.say = Progress(sys.stderr)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self.say = Progress(sys.stderr)
        self.say(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.say.done()
            self.seconds[name] = round(time.perf_counter() - start, 3)

    def tell(self, text: str) -> None:
        """A line of result."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
