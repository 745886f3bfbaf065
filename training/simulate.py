"""`python -m training.simulate --actions new.toml --channel email`: what a changed catalogue of actions would do, beside the one that stands.

Both decide for the same customers at the same moment, as a send would: how often each action is said, whom it reaches by tier, what it spends,
which budgets it drains, who is left with nothing and at which stage; of a sample, each figure with its 95 % interval. Counters, ledgers,
learning and the log are left as they are.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from models.action_catalogue import Catalogue
from models.bundle import Bundle
from models.errors import InputError
from models.propensity import Belief, Count
from models.settings import Settings
from service.decisions.beliefs import positives, starting
from service.decisions.shelf import filed, live
from service.decisions.situation import Learnt, Request
from service.people.customers import SESSION
from service.settings import beside
from service.store import Store
from service.store.open import open_store
from training.command import ended
from training.comparison import Comparison, compared
from training.crowd import NOBODY, Common, load_bundle, resolve
from training.progress import Progress
from training.rehearsal import Ground, rehearse
from training.settings import whole
from training.side_by_side import lines, write

SAMPLE = 20_000
SUFFIXES = (".json", ".csv", ".html")


def run(given: argparse.Namespace, common: Common, say: Progress) -> Comparison:
    """Decide with both catalogues and compare. Raises ValetError."""
    store = None if common.store is None else open_store(common.store)
    if store is None:
        raise InputError("--store none: there is nobody to decide for; name the store")
    try:
        stands = live(store, beside(common.config), common.settings)
        changed = filed(given.actions, common.settings)
        asked = _asked(given, common.settings, stands, changed)
        now = common.as_of or int(time.time())
        names = [name for name in store.customer_ids() if not name.startswith(SESSION)]
        if not names:
            raise InputError(NOBODY)
        ids = sampled(names, given.sample, seed=given.seed)
        ground = Ground(store, ids, asked, learnt(store, common), now, share=len(ids) / len(names))
        return compared(stands, rehearse(stands, ground, say), changed, rehearse(changed, ground, say), ground=ground)
    finally:
        store.close()


def _asked(given: argparse.Namespace, settings: Settings, *catalogues: Catalogue) -> Request:
    for catalogue in catalogues:
        if given.channel not in catalogue.channels:
            raise InputError(f"--channel {given.channel}: unknown; known are {', '.join(catalogue.channels)}")
    return Request("", given.channel, placement=given.placement, lang=given.lang or settings.shop.language)


def sampled(names: Sequence[str], size: int, *, seed: int) -> list[str]:
    """So many of the names, each as likely as any other, in their order; 0: all."""
    if not 0 < size < len(names):
        return list(names)
    rows = np.random.default_rng(seed).choice(len(names), size, replace=False)
    return [names[row] for row in np.sort(rows).tolist()]


def learnt(store: Store, common: Common) -> Learnt:
    """What decisions use of the bundle and of the counters, as of now; texts and products are nobody's business here."""
    counts = {name: Count(*pair) for name, pair in store.counters()[1].items()}
    kept: dict[tuple[str, str, str], Belief] = {}

    def believe(actions: Catalogue, channel: str, tier: str, now: int) -> Belief:
        key = actions.version, channel, tier
        if key not in kept:
            kept[key] = starting(actions, channel, tier, now, counts)
        return kept[key]

    known = Learnt(
        attach=lambda *_: [],
        believe=believe,
        positives=lambda actions, now: positives(actions, now, counts),
        currency=common.settings.shop.currency,
        zone=ZoneInfo(common.settings.shop.time_zone),
    )
    return _with_bundle(known, load_bundle(common.bundle, store, common.settings)) if common.bundle.exists() else known


def _with_bundle(known: Learnt, bundle: Bundle) -> Learnt:
    """With what training learnt, as the service has it; without a bundle the service knows none of it either."""
    return known._replace(
        response=bundle.models.response,
        tiers=bundle.models.tiers,
        currency=known.currency or bundle.manifest.get("currency"),
        model_version=bundle.version,
        catalogue=bundle.models.catalogue,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print; exit 2 for what cannot be used, 5 where the disk is full."""
    given = _parser().parse_args(arguments)
    say = Progress(sys.stderr)

    def work() -> int:
        if given.out is not None and given.out.suffix not in SUFFIXES:
            raise InputError(f"--out {given.out}: write a file that ends in {', '.join(SUFFIXES)}")
        found = run(given, resolve(given), say)
        say.done()
        sys.stdout.write("".join(f"{line}\n" for line in lines(found)))
        if given.out is not None:
            write(found, given.out)
        return 0

    return ended(work, interrupted="interrupted; nothing was changed")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="valet-simulate",
        description="What a changed catalogue of actions would do, beside the one that stands; nothing is touched.",
        epilog="Exit: 0 compared, 2 unusable input, 5 disk.",
    )
    add = parser.add_argument
    add("--actions", required=True, type=Path, metavar="FILE", help="the changed actions.toml")
    add("--channel", default="email", metavar="NAME", help="where it would be said (default: email)")
    add("--placement", metavar="NAME", help="at which place of the channel")
    add("--lang", metavar="LANG", help="default: the shop's language")
    add(
        "--sample",
        type=whole(0),
        default=SAMPLE,
        metavar="N",
        help=f"customers to decide for; 0: all (default {SAMPLE})",
    )
    add("--seed", type=int, default=0, metavar="N", help="of the sample (default 0)")
    add("--out", type=Path, metavar="FILE", help=f"write it, too: a file that ends in {', '.join(SUFFIXES)}")
    add("--as-of", metavar="TIME", help="default: now")
    add("--store", metavar="URL", help="default: sqlite:///valet.db")
    add("--bundle", type=Path, metavar="DIR", help="default: current in --models-dir")
    add("--models-dir", metavar="DIR", help="default: ./models/trained")
    add("--config", metavar="PATH", help="valet.toml (default: ./valet.toml where it exists)")
    parser.set_defaults(history=None)
    return parser


if __name__ == "__main__":
    sys.exit(main())
