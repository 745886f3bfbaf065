"""A vocabulary numbers outside strings: ids become rows 0 … n−1 in sorted order, so the same ids always get the same rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

MISSING = -1
MOST_KNOWN = 1 << 15  # texts whose rows are remembered, of at most so many characters: 5 MB
LONGEST = 64


@dataclass(frozen=True)
class Vocabulary:
    """Sorted unique strings as one pool of bytes with an open-addressing hash table; memory-mapped, it costs a worker nothing.

    pool     uint8[bytes]   the UTF-8 texts, one after the other
    offsets  int64[n + 1]   text `row` is pool[offsets[row]:offsets[row + 1]]
    slots    int32[2^k]     row by hash, -1 where free; at most half full, linear probing
    """

    pool: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    slots: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, text: str) -> int:
        """The row of a text, or -1 when it is unknown."""
        return self._found((text,))[0]

    def rows(self, texts: Iterable[str]) -> NDArray[np.int32]:
        """int32[len(texts)]: the row of each text, -1 for unknown ones."""
        return np.array(self._found(texts), dtype=np.int32)

    def _found(self, texts: Iterable[str]) -> list[int]:
        """The row of each text; a history asks for dozens at once, mostly for what others asked for."""
        texts = tuple(texts)
        found = list(map(self._known.get, texts))
        return [self._sought(text) if row is None else row for text, row in zip(texts, found, strict=True)]

    def _sought(self, text: str) -> int:
        pool, offsets, slots = self._views
        mask = len(slots) - 1
        encoded = text.encode("utf-8", "surrogatepass")
        slot = _hash(encoded) & mask
        while (row := slots[slot]) != MISSING and pool[offsets[row] : offsets[row + 1]] != encoded:
            slot = (slot + 1) & mask
        if row != MISSING and len(text) <= LONGEST:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[text] = row
        return row

    def text(self, row: int) -> str:
        """The text of a row."""
        pool, offsets, _ = self._views
        return str(pool[offsets[row] : offsets[row + 1]], "utf-8", "surrogatepass")

    def texts(self, rows: Iterable[int]) -> list[str]:
        """The texts of some rows, in their order."""
        return list(map(self.text, rows))

    def extended(self, texts: Iterable[str]) -> Vocabulary:
        """The same rows, and the texts that are unknown numbered on, in their order; the arrays are shared, never copied."""
        added = tuple(dict.fromkeys(text for text in texts if self.row(text) == MISSING))
        return (
            Extended(self.pool, self.offsets, self.slots, added, dict(zip(added, itertools.count(len(self)))))
            if added
            else self
        )

    @cached_property
    def folded(self) -> list[str]:
        """All texts, as they are compared where case does not count; of columns with few values, kept for the next who asks."""
        return [text.casefold() for text in self.texts(range(len(self)))]

    @cached_property
    def _known(self) -> dict[str, int]:
        """Rows of texts that were asked for of late: a look-up costs a twentieth of a hash. Of several threads each may clear it."""
        return {}

    @cached_property
    def _views(self) -> tuple[memoryview, memoryview, memoryview]:
        """pool, offsets, slots: of single elements, views are read several times as fast as arrays."""
        return self.pool.data, self.offsets.data, self.slots.data

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """The vocabulary of some texts: sorted by code point, repeats counted once."""
        return cls.of_sorted(sorted(set(texts)))

    @classmethod
    def of_sorted(cls, texts: Sequence[str]) -> Vocabulary:
        """As `of`, for texts that are sorted and unique already."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(text) for text in encoded], out=offsets[1:])
        size = 2
        while size < 2 * len(encoded):
            size *= 2
        slots = np.full(size, MISSING, dtype=np.int32)
        for row, text in enumerate(encoded):
            slot = _hash(text) & (size - 1)
            while slots[slot] != MISSING:
                slot = (slot + 1) & (size - 1)
            slots[slot] = row
        return cls(pool=np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets=offsets, slots=slots)


@dataclass(frozen=True)
class Extended(Vocabulary):
    """A vocabulary and the texts that came after it was numbered, in a dict: meant for thousands, not for millions.

    added  the texts of the rows beyond the base, in their order     added_row  text -> row
    """

    added: tuple[str, ...]
    added_row: Mapping[str, int]

    def __len__(self) -> int:
        return super().__len__() + len(self.added)

    def _found(self, texts: Iterable[str]) -> list[int]:
        texts = tuple(texts)
        found = super()._found(texts)
        if MISSING not in found:
            return found
        return [
            self.added_row.get(text, MISSING) if row == MISSING else row for text, row in zip(texts, found, strict=True)
        ]

    def text(self, row: int) -> str:
        """The text of a row."""
        base = super().__len__()
        return super().text(row) if row < base else self.added[row - base]

    def extended(self, texts: Iterable[str]) -> Vocabulary:
        """As for any vocabulary; what was added before comes first."""
        base = Vocabulary(self.pool, self.offsets, self.slots)
        return base.extended((*self.added, *texts))


def _hash(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")
