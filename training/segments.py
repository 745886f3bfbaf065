"""`python -m training.segments --name X --out FILE`: the customers of a named segment of `valet.toml`, or of a cluster that the
bundle found, in the order of their ids; or with
`--item X` the customers most likely to want an item, likeliest first.

crowd → who may be written to and has not got it → how far up the item would stand in each one's own list → the best of all → a sheet

A customer's scores say how her items compare, not how she compares with others. So the score of a member is the item's place in her own list,
as the share of items behind it (0–1); among equals, the one for whom the models' evidence is stronger comes first. Of an item that nobody has
bought yet no model says anything: there it is how much of what the catalogue says of the item is true of what she has, too (0–1).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import orjson
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models import likeness
from models.bundle import Bundle, Models
from models.errors import InputError
from models.profile import load
from models.settings import Interest, Settings
from models.vocabulary import MISSING
from service.lists.taste import Taste
from service.people.customers import Known
from service.people.facts import load as load_facts
from service.people.segments import Segments, cluster
from service.store.open import open_store
from training import scoring
from training.command import ended
from training.crowd import Crowd, Permission, add_options, gather, load_bundle, resolve, scored, tastes
from training.progress import Progress
from training.settings import whole
from training.sheet import Sheet

COLUMNS: Mapping[str, str] = {
    "segment": "VARCHAR",
    "rank": "INTEGER",
    "customer_id": "VARCHAR",
    "score": "DOUBLE",
    "model_version": "VARCHAR",
}
MOST_WISHES = 1_000
Belongs = Callable[[Known, int], bool]
EVIDENCE = ("together", "alike", "factors")  # sources that say something of a customer


@dataclass(frozen=True)
class Wishes:
    """How much some customers want the item: `place` float64 0–1 in their own lists, `strength` of the evidence, -inf: not at all."""

    customer_ids: tuple[str, ...]
    place: NDArray[np.float64]
    strength: NDArray[np.float64]


def wishes(found: Sequence[Taste], ids: Sequence[str], row: int, models: Models, *, now: int) -> Wishes:
    """The wishes of a block of customers; those who own the item, said no to it, or of whom no source says anything want it not at all."""
    barred = np.array([bool(np.isin(row, [*one.owned, *one.disliked])) for one in found], dtype=np.bool_)
    if not models.popularity.score[row]:
        alike = _likeness(found, row, models)
        return Wishes(tuple(ids), alike, np.where(barred | (alike <= 0), -np.inf, alike))
    sources = scoring.Sources(models.together, models.alike, models.factors, models.popularity)
    scores = scored(found, sources, models, now)
    mixed = scoring.mix(models.blend, "for_you", scores)
    evidence = sum((scores[name][:, row] for name in EVIDENCE if name in scores), np.zeros(len(found)))
    place = (mixed < mixed[:, [row]]).mean(axis=1, dtype=np.float64)
    strength = np.where(barred | (evidence <= 0), -np.inf, mixed[:, row].astype(np.float64))
    return Wishes(tuple(ids), place, strength)


def _likeness(found: Sequence[Taste], row: int, models: Models) -> NDArray[np.float64]:
    """float64[customers], 0–1: the mean likeness of the item to what each has, weighed as her taste weighs it; 0 for nothing."""
    like = likeness.like(models.catalogue, row)
    weights = [np.maximum(one.weights, 0) for one in found]
    sums = [float(weight @ like[one.rows]) for weight, one in zip(weights, found, strict=True)]
    return np.array(sums) / np.maximum([float(weight.sum()) for weight in weights], 1e-9)


def best(parts: Sequence[Wishes], size: int) -> list[tuple[str, float]]:
    """The customers who want it most, likeliest first, with their scores; equals by id."""
    if not parts:
        return []
    ids = [customer_id for part in parts for customer_id in part.customer_ids]
    place = np.concatenate([part.place for part in parts])
    strength = np.concatenate([part.strength for part in parts])
    order = np.lexsort((np.array(ids), -strength, -place))
    chosen = order[strength[order] > -np.inf][:size].tolist()
    return [(ids[nth], round(float(place[nth]), 6)) for nth in chosen]


def run(given: argparse.Namespace) -> str:
    """Find the audience; what was written, in a sentence. Raises ValetError."""
    common = resolve(given)
    store = None if common.store is None else open_store(common.store)
    try:
        crowd = gather(given, common, store)
        learnt = load_bundle(common.bundle, store, common.settings)
        permission = Permission(given.channel, soft=given.soft_opt_in)
        who = _who(given, permission, common.settings, learnt)
        name = given.name or given.item
        sheet = Sheet(given.out, COLUMNS, {"segment": name, "bundle": learnt.version, "of": crowd.now})
        try:
            with threadpool_limits(1, "blas"):
                members = who(crowd)
            if not sheet.customers:  # else a run was cut off while it converted what it had written
                sheet.write(_lines(name, members, learnt.version), last="", customers=len(members))
            rows = sheet.finish()
        finally:
            sheet.close()
        return f"{given.out}: {rows:,} of {len(crowd.ids):,} customers; {permission}"
    finally:
        if store is not None:
            store.close()


def _who(
    given: argparse.Namespace, permission: Permission, settings: Settings, learnt: Bundle
) -> Callable[[Crowd], list[tuple[str, float]]]:
    """What finds the members with their scores: a named segment or cluster, or the wish for an item."""
    if given.item is None:
        belongs = _membership(given.name, settings, learnt)
        return lambda crowd: list(islice(_named(crowd, belongs, permission), given.size))
    row = learnt.models.catalogue.items.row(given.item)
    if row == MISSING:
        raise InputError(f"--item {given.item}: the bundle {learnt.version} does not know it; train with it first")
    size = MOST_WISHES if given.size is None else given.size
    return lambda crowd: best(list(_parts(crowd, learnt, row, permission, settings.interest)), size)


def _membership(name: str, settings: Settings, learnt: Bundle) -> Belongs:
    """Whether a customer belongs to the segment, else the cluster, of this name as of a time. Raises InputError where there is neither."""
    segments, clusters = Segments(settings), learnt.models.clusters
    if name in segments:
        return lambda known, now: name in segments.of(known, learnt.models, now=now)
    names = () if clusters is None else clusters.names
    if name in names:
        return lambda known, now: cluster(known.telling, learnt.models, now=now) == name
    listed = "; ".join((*segments, *names)) or "none; write [[segments]] in valet.toml"
    raise InputError(f"--name {name}: no such segment; known here: {listed}. For an item write --item ID")


def _named(crowd: Crowd, belongs: Belongs, permission: Permission) -> Iterator[tuple[str, float]]:
    """The members who may be written to; each has score 1."""
    for chunk in crowd.chunks():
        members = [one for one in chunk if belongs(Known(load(one[1]), load_facts(one[2])), crowd.now)]
        yield from ((customer_id, 1.0) for customer_id, _, _ in permission.among(members))


def _parts(crowd: Crowd, learnt: Bundle, row: int, permission: Permission, interest: Interest) -> Iterator[Wishes]:
    """The wishes of everybody who may be asked, block by block, so that memory is bounded by a block."""
    say, seen = Progress(sys.stderr), 0
    size = max(1, scoring.BLOCK_SCORES // max(len(learnt.models.catalogue), 1))
    for chunk in crowd.chunks():
        asked = permission.among(chunk)
        found = tastes(asked, learnt.models, now=crowd.now, interest=interest)
        for start in range(0, len(asked), size):
            ids = [one[0] for one in asked[start : start + size]]
            yield wishes(found[start : start + size], ids, row, learnt.models, now=crowd.now)
        seen += len(chunk)
        say(f"{seen:,} of {len(crowd.ids):,} customers")
    say.done()


def _lines(name: str, members: Sequence[tuple[str, float]], version: str) -> bytes:
    return b"".join(
        orjson.dumps(
            {"segment": name, "rank": nth, "customer_id": customer_id, "score": score, "model_version": version},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for nth, (customer_id, score) in enumerate(members, start=1)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the audience; exit 2 for what cannot be used, 5 where the disk is full, 130 when interrupted."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.item is None and given.name is None:
        parser.error("say --name SEGMENT or --item ID")

    def work() -> int:
        sys.stdout.write(f"{run(given)}\n")
        return 0

    return ended(work, interrupted="interrupted; nothing was written")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="valet-segments",
        description="Write a named segment, or the customers most likely to want an item, likeliest first.",
    )
    add = parser.add_argument
    add("--item", metavar="ID", help="an item: who wants it")
    add(
        "--name",
        metavar="NAME",
        help="a segment of valet.toml or a cluster of the report; with --item, what the audience is called",
    )
    add(
        "--size",
        type=whole(1),
        metavar="N",
        help=f"at most so many customers (default: all; with --item {MOST_WISHES})",
    )
    add("--channel", default="email", help="whose consent counts (default: email)")
    add_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
