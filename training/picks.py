"""`python -m training.picks --channel email --out picks.parquet`: for every customer the products of her next mailing, for the mailing system.

crowd → who may be written to → tastes, block by block → the lists that /recommend would give → a sheet, whole or not at all

One row a customer and item, with what a template needs: title, price, addresses, the reason, the open-time link. The recommendation_id goes
back in `email_sent`, `email_click` and `purchase` events, so that what was sent rotates, and what it brought is counted.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from threadpoolctl import threadpool_limits

from models.bundle import Bundle
from models.errors import InputError
from models.profile import load
from models.settings import Settings
from service.lists.block import Ask, recommend_all
from service.lists.links import page, path
from service.lists.merchandising import Rulebook
from service.lists.reasons import LANGUAGES
from service.lists.recommend import Answer
from service.lists.request import Request
from service.lists.selection import NOTHING, Wishes
from service.lists.taste import Taste
from service.people.customers import Known
from service.people.facts import load as load_facts
from service.signing import recommendation_id, signing_key
from service.store.open import open_store
from training.command import ended
from training.crowd import Crowd, Permission, Person, add_options, gather, in_order, load_bundle, resolve, tastes
from training.progress import Progress
from training.sheet import Sheet

INTENT, N = "for_you", 10
EMAIL = "email"
COLUMNS: Mapping[str, str] = {
    "customer_id": "VARCHAR",
    "rank": "INTEGER",
    "item_id": "VARCHAR",
    "score": "DOUBLE",
    "source": "VARCHAR",
    "reason_code": "VARCHAR",
    "reason": "VARCHAR",
    "because": "VARCHAR",
    "title": "VARCHAR",
    "price": "DOUBLE",
    "currency": "VARCHAR",
    "url": "VARCHAR",
    "image_url": "VARCHAR",
    "link": "VARCHAR",
    "recommendation_id": "VARCHAR",
    "variant": "VARCHAR",
    "fallback": "VARCHAR",
    "model_version": "VARCHAR",
    "as_of": "VARCHAR",
}


@dataclass(frozen=True)
class Order:
    """What is picked, and for whom; small, as every process gets it."""

    bundle: Path
    store: str | None
    settings: Settings
    request: Request
    now: int
    secret: bytes | None  # None: no links, because nobody could open them
    links: str


@dataclass(frozen=True)
class Picker:
    """One process at work: its order and the bundle, which all processes map once."""

    order: Order
    bundle: Bundle

    def rows(self, people: Sequence[Person]) -> bytes:
        """The JSON lines of some people."""
        order, models = self.order, self.bundle.models
        found = tastes(people, models, now=order.now, interest=order.settings.interest)
        asks = [self._ask(one, own) for one, own in zip(people, found, strict=True)]
        return b"".join(
            orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
            for ask, answer in zip(asks, recommend_all(asks, models=models), strict=True)
            for row in self._listed(ask.request, answer)
        )

    @cached_property
    def _rulebook(self) -> Rulebook:
        return Rulebook(self.order.settings)

    def _ask(self, person: Person, own: Taste) -> Ask:
        order = self.order
        placement = order.settings.placements.get(order.request.placement or "")
        asked = _of(order.request, person[0]).at(placement)
        return Ask(asked, own, self._wishes(person, asked), order.now)

    def _wishes(self, person: Person, asked: Request) -> Wishes:
        """What the shop's merchandising wants of her list."""
        if not self.order.settings.merchandising:
            return NOTHING
        known = Known(load(person[1]), load_facts(person[2]))
        return self._rulebook.wishes(asked, known=known, models=self.bundle.models, now=self.order.now)

    def _listed(self, asked: Request, answer: Answer) -> Iterator[dict[str, Any]]:
        """A row for each pick."""
        order, version = self.order, self.bundle.version
        catalogue = self.bundle.models.catalogue
        ids = [pick.item_id for pick in answer.picks]
        token = order.secret and recommendation_id(
            answer, asked, model_version=version, at=order.now, secret=order.secret
        )
        shared = {
            "recommendation_id": token,
            "variant": asked.trial.variant.name if asked.trial else None,
            "fallback": answer.fallback,
            "model_version": version,
            "as_of": datetime.fromtimestamp(order.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for nth, pick in enumerate(answer.picks):
            assert pick.row is not None  # noqa: S101  (only /rank lists unknown items)
            reason = pick.reason  # None: the shop's merchandising put it there
            body = orjson.loads(catalogue.json(pick.row))
            title = (asked.lang == "th" and body.get("title_th")) or body.get("title")
            link = token and order.secret and path(ids[nth:] + ids[:nth], str(token), secret=order.secret)
            yield {
                "customer_id": asked.customer_id,
                "rank": nth + 1,
                "item_id": pick.item_id,
                "score": pick.score,
                "source": pick.source,
                "reason_code": reason and reason.code,
                "reason": reason and reason.text,
                "because": next(iter(reason.because), None) if reason else None,
                "title": title,
                "price": body.get("price"),
                "currency": body.get("currency"),
                "url": page(catalogue, pick.row, order.settings.shop.url) or body.get("url"),
                "image_url": body.get("image_url"),
                "link": link and f"{order.links}{link}",
                **shared,
            }


def _of(request: Request, customer_id: str) -> Request:
    return request._replace(customer_id=customer_id)


def run(given: argparse.Namespace) -> str:
    """Pick for everybody; what was written, in a sentence. Raises ValetError."""
    common = resolve(given)
    store = None if common.store is None else open_store(common.store)
    try:
        crowd = gather(given, common, store)
        learnt = load_bundle(common.bundle, store, common.settings)
        order = Order(
            bundle=common.bundle.resolve(),
            store=common.store,
            settings=common.settings,
            request=_request(given, common.settings, learnt),
            now=crowd.now,
            secret=given.secret or (signing_key(store) if store is not None else None),
            links=given.links.rstrip("/"),
        )
        started = time.monotonic()
        permission = Permission(given.channel, soft=given.soft_opt_in)
        sheet = Sheet(given.out, COLUMNS, _asked(order, permission, learnt))
        taken_up = sheet.customers
        rows = _write(sheet, crowd, permission, order, learnt, given.threads)
        rate = (sheet.customers - taken_up) / max(time.monotonic() - started, 1e-9)
        again = f", {taken_up:,} of them in an earlier run" if taken_up else ""
        return f"{given.out}: {rows:,} rows; {sheet.customers:,} customers looked at{again}; {rate:,.0f} a second; {permission}"
    finally:
        if store is not None:
            store.close()


def _request(given: argparse.Namespace, settings: Settings, learnt: Bundle) -> Request:
    """What is asked for each customer: the placement of the channel's name, where the shop has one."""
    placement = given.placement or (given.channel if given.channel in settings.placements else None)
    if given.placement is not None and settings.placements and given.placement not in settings.placements:
        known = ", ".join(settings.placements)
        raise InputError(f"--placement {given.placement}: unknown; known in valet.toml: {known}")
    pictured = given.channel == EMAIL and bool(learnt.models.catalogue.pictured.any())
    intent = None if placement in settings.placements else INTENT
    lang = settings.shop.language if settings.shop.language in LANGUAGES else "en"
    return Request(placement=placement or given.channel, intent=intent, n=given.n, lang=lang, need_image=pictured)


def _asked(order: Order, permission: Permission, learnt: Bundle) -> dict[str, Any]:
    """What two runs must have in common for one to go on where the other ended."""
    return {
        "bundle": learnt.version,
        "request": repr(order.request),
        "channel": permission.channel,
        "soft_opt_in": permission.soft,
        "links": order.links,
        "settings": repr((order.settings.placements, order.settings.shop)),
    }


def _write(sheet: Sheet, crowd: Crowd, permission: Permission, order: Order, learnt: Bundle, processes: int) -> int:
    say = Progress(sys.stderr)
    try:
        filled = ((chunk, permission.among(chunk)) for chunk in crowd.chunks(after=sheet.last) if chunk)
        for chunk, rows in _picked(filled, order, learnt, processes):
            sheet.write(rows, last=chunk[-1][0], customers=len(chunk))
            say(f"picks for {sheet.customers:,} of {len(crowd.ids):,} customers")
        return sheet.finish()
    finally:
        sheet.close()
        say.done()


def _picked(
    chunks: Iterator[tuple[list[Person], list[Person]]], order: Order, learnt: Bundle, processes: int
) -> Iterator[tuple[list[Person], bytes]]:
    """Each chunk and the rows of those of it who may be written to, in order, whatever process was quicker."""
    if processes <= 1:
        picker = Picker(order, learnt)
        with threadpool_limits(1, "blas"):
            yield from ((chunk, picker.rows(allowed)) for chunk, allowed in chunks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(order,)) as pool:
        asked: list[list[Person]] = []

        def submitted() -> Iterator[Future[bytes]]:
            for chunk, allowed in chunks:
                asked.append(chunk)
                yield pool.submit(_rows_of, allowed)

        for rows in in_order(submitted(), ahead=2 * processes):
            yield asked.pop(0), rows


_at_work: list[Picker] = []  # of this process, once it has begun


def _begin(order: Order) -> None:
    """Map the bundle, once a process."""
    threadpool_limits(1, "blas")
    store = None if order.store is None else open_store(order.store)
    _at_work.append(Picker(order, load_bundle(order.bundle, store, order.settings)))
    if store is not None:
        store.close()


def _rows_of(people: Sequence[Person]) -> bytes:
    return _at_work[0].rows(people)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sheet; exit 2 for what cannot be used, 5 where the disk is full, 130 when interrupted (run again: it goes on)."""
    given = _parser().parse_args(arguments)

    def work() -> int:
        sys.stdout.write(f"{run(given)}\n")
        return 0

    return ended(work, interrupted="interrupted; run it again, and it goes on from there")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="valet-picks",
        description="Write the products of the next mailing for every customer who may be written to.",
    )
    add = parser.add_argument
    add("--channel", default=EMAIL, help="whose consent counts, and the placement of this name (default: email)")
    add("--placement", metavar="NAME", help="another placement of valet.toml")
    add(
        "--n",
        type=int,
        choices=range(1, 101),
        metavar="N",
        help=f"items a customer (default: the placement's, else {N})",
    )
    add(
        "--links",
        default="",
        metavar="URL",
        help="where customers reach this service, before /r/… (default: the path alone)",
    )
    add_options(parser)
    parser.set_defaults(secret=os.environ.get("VALET_SECRET", "").encode() or None)
    return parser


if __name__ == "__main__":
    sys.exit(main())
