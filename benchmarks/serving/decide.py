"""Decisions: the next best action out of 200, in process and over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from itertools import pairwise

import numpy as np

from benchmarks.profiles.stores import opened
from benchmarks.serving import drive
from benchmarks.serving.actions import ACTIONS, SETTINGS, catalogue
from benchmarks.serving.beside import compared
from benchmarks.serving.regulars import regular
from benchmarks.serving.rows import Bound, Row
from benchmarks.serving.server import Server, valet
from benchmarks.serving.task import Task
from benchmarks.serving.world import NOW, World, customer_id, world
from models.action_catalogue import Catalogue, parse
from models.action_rules import names
from models.bundle import CURRENT, load
from models.settings_file import parse as parse_settings
from service.decisions.answer import answer
from service.decisions.beliefs import Beliefs
from service.decisions.decision import decide, settled
from service.decisions.funnel import funnel, look
from service.decisions.person import read
from service.decisions.situation import Learnt, Request, situate
from service.store import Customer, Part, Store
from service.store.open import open_store

CUSTOMERS, ROUNDS = 200, 10  # in process
SERVED = 2_000  # customers of the shop that is served
STEPS = ("read", "situate", "look", "funnel", "choose", "answer")


def decisions(task: Task) -> Iterator[Row]:
    """In process once, and over HTTP on each store; without products, which have rows of their own."""
    shop = world(task.worlds, min(task.sizes), factors=task.factors)
    served = _served(task, shop)
    if task.store == "sqlite" and task.workers == 1:
        yield _in_process(shop, bare_us=served.values["CPU µs"] - served.values["CPU µs above bare"])
    yield served


def _in_process(shop: World, *, bare_us: float) -> Row:
    """The whole funnel with explanations, profile given: ROUNDS decisions of CUSTOMERS customers, by the clock on the wall.

    What it takes to read profile, facts and ledger from their documents stands beside it, as `read`. `× bare` is p50 as a multiple of the
    processor time that a bare Flask view took in this run: machines differ, and that figure says by how much.
    """
    actions, learnt = catalogue_of_200(), learnt_of(shop)
    people = [(request(number), regular(number, told(actions))) for number in range(CUSTOMERS)]
    took = np.array([steps(*one, actions, learnt) for _ in range(ROUNDS + 1) for one in people])[CUSTOMERS:]
    whole = took[:, 1:].sum(axis=1)
    values = {f"p{percentile} ms": float(np.percentile(whole, percentile)) for percentile in (50, 90, 99)}
    values["× bare"] = values["p50 ms"] * 1e3 / bare_us
    values |= {f"{step} µs": float(np.median(took[:, nth])) * 1e3 for nth, step in enumerate(STEPS)}
    values |= reach(people, actions, learnt)
    asked = {"p50 ms": Bound(most=0.5), "p99 ms": Bound(most=2)}
    return Row("decide", f"{ACTIONS} actions · in process", values, asked)


def steps(asked: Request, customer: Customer, actions: Catalogue, learnt: Learnt) -> list[float]:
    """One decision; how long each of its STEPS took, in milliseconds."""
    times = [time.perf_counter()]
    person = read(customer)
    times.append(time.perf_counter())
    situation = situate(asked, person, actions=actions, learnt=learnt, now=NOW)
    times.append(time.perf_counter())
    seen = look(situation)
    times.append(time.perf_counter())
    passage = funnel(seen)
    times.append(time.perf_counter())
    decision = settled(asked, seen, passage)
    times.append(time.perf_counter())
    answer(decision, asked, learnt=learnt, decision_id="d")
    times.append(time.perf_counter())
    return [1e3 * (after - before) for before, after in pairwise(times)]


def reach(people: Sequence[tuple[Request, Customer]], actions: Catalogue, learnt: Learnt) -> dict[str, float]:
    """How much there is to decide, on average: actions that come to the conditions, that pass them, and that pass the whole funnel."""
    stages = ("ELIGIBILITY", "APPLICABILITY", "SUITABILITY")
    asked, met, passed = [], [], []
    for one, customer in people:
        passage = decide(one, situate(one, customer, actions=actions, learnt=learnt, now=NOW)).passage
        gone = {code: out.bit_count() for code, out in passage.dropped.items()}
        later = sum(gone.get(code, 0) for code in ("COOL_OFF", "SUPPRESSION", "CONTACT_LIMIT", "BUDGET", "RAMP"))
        passed.append(passage.passed.bit_count())
        met.append(passed[-1] + later)
        asked.append(met[-1] + sum(gone.get(code, 0) for code in stages))
    return dict(zip(("asked", "met", "passed"), map(float, map(np.mean, (asked, met, passed))), strict=True))


def _served(task: Task, shop: World) -> Row:
    """Decisions of a website over HTTP: read, decided, reserved in the ledger, and logged."""
    asked = [drive.post("/next-best-action", question(request(number))) for number in range(SERVED)]
    with _shop(task, shop) as ours:
        values = compared(ours, asked, task.folder, seconds=task.seconds, workers=task.workers)
    place = f"{ACTIONS} actions · {task.store} · {task.workers} worker{'s' * (task.workers > 1)}"
    return Row("decide", place, values, task.gated({"of bare": Bound(least=0.30)}))


@contextmanager
def _shop(task: Task, shop: World) -> Iterator[Server]:
    """The shop, served at NOW, with SERVED customers and the 200 actions."""
    with task.scratch() as folder, opened(task.store, folder) as patient:
        url = patient.partition("?")[0]  # the deadlines that a shop has
        kept = open_store(url)
        assert kept is not None
        for number in range(SERVED):
            _keep(kept, regular(number, told(catalogue_of_200())))
        kept.close()
        config = folder / "valet.toml"
        config.write_text(SETTINGS, encoding="utf-8")
        config.with_name("actions.toml").write_text(catalogue(), encoding="utf-8")
        with valet(folder, shop.models_dir, url, workers=task.workers, config=config, now=NOW) as ours:
            yield ours


def _keep(store: Store, customer: Customer) -> None:
    parts: dict[Part, bytes | None] = {"profile": customer.profile, "facts": customer.facts, "ledger": customer.ledger}
    for part, document in parts.items():
        store.change(customer.customer_id, part, partial(lambda document, _: document, document))


def question(asked: Request) -> dict[str, object]:
    """The body of a request."""
    where = {"channel": asked.channel, "placement": asked.placement, "context": dict(asked.context)}
    return {"customer_id": asked.customer_id, **where, "explain": asked.explain}


def request(number: int) -> Request:
    """What is asked for the customer of a number."""
    page = ("home", "cart", "product", "search")[number % 4]
    context = {"page": page, "device": ("mobile", "desktop")[number % 2]}
    return Request(customer_id(number), "website", placement="hero", context=context, explain="full")


@cache
def catalogue_of_200() -> Catalogue:
    """The catalogue of benchmarks.serving.actions."""
    settings = parse_settings(SETTINGS, "valet.toml")
    known = names(context=settings.context, attributes=settings.attributes)
    return parse(catalogue(), "actions.toml", known=known)


def told(actions: Catalogue) -> list[tuple[str, str]]:
    """(id, group) of what customers may have been told before."""
    return [(one.id, one.group) for one in actions.actions if one.class_ != "silence"]


def learnt_of(shop: World) -> Learnt:
    """What a worker that has been up for a while uses of the bundle: beliefs are kept by channel and tier."""
    models = load(shop.models_dir / CURRENT, verify=False).models
    return Learnt(
        attach=lambda *_: [],
        believe=Beliefs(None),
        tiers=models.tiers,
        catalogue=models.catalogue,
        currency="THB",
        model_version="1",
    )
