"""Ours beside the bare view, in one run: both serve, and short turns of each follow one another, so that a busy machine slows both alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving import drive
from benchmarks.serving.drive import Driven
from benchmarks.serving.server import Server, bare

TURNS = 3
WARM_UP_S, MOST_WARM_UP_S = 1.0, 20.0


class AnsweredWrongError(Exception):
    """A server refused what it was measured with: the figures would mean nothing."""


@dataclass(frozen=True)
class Side:
    """What one of the two did in all its turns."""

    driven: Sequence[Driven]
    cpu_s: float

    @property
    def count(self) -> int:
        """Requests answered."""
        return sum(turn.count for turn in self.driven)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / sum(turn.seconds for turn in self.driven)

    @property
    def cpu_us(self) -> float:
        """Processor time of the workers a request, in microseconds."""
        return 1e6 * self.cpu_s / max(self.count, 1)

    def ms(self, percentile: int) -> float:
        """The median over the turns of a percentile of the latency."""
        place = drive.PERCENTILES.index(percentile)
        return sorted(turn.ms[place] for turn in self.driven)[len(self.driven) // 2]


def compared(
    ours: Server, questions: Sequence[bytes], folder: Path, *, seconds: float, workers: int = 1
) -> dict[str, float]:
    """The figures of ours beside the bare view that returns the first question's answer. Raises AnsweredWrongError."""
    with bare(folder, _answer(ours, questions[0]), workers=workers) as other:
        for server in (ours, other):
            _warm(server, questions)
        turns: list[tuple[Driven, float, Driven, float]] = []
        for _ in range(TURNS):
            turns.append((*_turn(other, questions, seconds), *_turn(ours, questions, seconds)))
    theirs = Side([turn[0] for turn in turns], sum(turn[1] for turn in turns))
    mine = Side([turn[2] for turn in turns], sum(turn[3] for turn in turns))
    return {
        "of bare": mine.rate / theirs.rate,
        "of bare, by CPU": theirs.cpu_us / mine.cpu_us,
        "a second": mine.rate,
        "bare a second": theirs.rate,
        "CPU µs": mine.cpu_us,
        "CPU µs above bare": mine.cpu_us - theirs.cpu_us,
        **{f"p{percentile} ms": mine.ms(percentile) for percentile in drive.PERCENTILES},
        **{f"bare p{percentile} ms": theirs.ms(percentile) for percentile in drive.PERCENTILES},
    }


def at_half_load(
    ours: Server, questions: Sequence[bytes], folder: Path, *, seconds: float, rate: float, workers: int = 1
) -> dict[str, float]:
    """The tail of ours at `rate` requests a second, half of what it can do, beside that of the bare view at this rate: what a machine that
    stands still does to both. Raises AnsweredWrongError."""
    with bare(folder, _answer(ours, questions[0]), workers=workers) as other:
        turns = [
            [
                _whole(drive.paced(server.port, questions, seconds=seconds, rate=rate), questions)
                for server in (other, ours)
            ]
            for _ in range(TURNS)
        ]
    theirs, mine = (Side(side, 0.0) for side in zip(*turns, strict=True))
    return {"p99 ms at half load": mine.ms(99), "bare p99 ms at that rate": theirs.ms(99)}


def _answer(ours: Server, question: bytes) -> bytes:
    status, answer = ours.ask(question)
    if status != 200:
        raise AnsweredWrongError(f"{question[:200]!r} was answered {status}: {answer[:500]!r}")
    return answer


def _warm(server: Server, questions: Sequence[bytes]) -> None:
    """Ask each question once, as a shop's pages have long been asked for; for WARM_UP_S at least, MOST_WARM_UP_S at most."""
    asked, spent = 0, 0.0
    while spent < WARM_UP_S or (asked < len(questions) and spent < MOST_WARM_UP_S):
        driven = drive.saturate(server.port, questions[asked % len(questions) :], seconds=WARM_UP_S)
        asked, spent = asked + driven.count, spent + driven.seconds


def _turn(server: Server, questions: Sequence[bytes], seconds: float) -> tuple[Driven, float]:
    before = server.cpu_s()
    driven = _whole(drive.saturate(server.port, questions, seconds=seconds), questions)
    return driven, server.cpu_s() - before


def _whole(driven: Driven, questions: Sequence[bytes]) -> Driven:
    if driven.failed:
        raise AnsweredWrongError(f"{driven.failed} of {driven.count} requests failed, like {questions[0][:200]!r}")
    return driven
