"""Agreement: what clients were answered, what the ledgers hold and what the pools say, each counted for itself after a race."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.decisions import ledger as ledger_of
from service.decisions.ledger import Contact
from service.store import Store

LIMITS: Mapping[str, int] = {"all": 2, "email": 1, "gifts": 1}  # contacts in 7 days: over all, by e-mail, of a group
COINS = 100  # tokens of a voucher
SERVING = frozenset({"parcel"})


@dataclass(frozen=True)
class Asked:
    """One question, the answer, and whether it was told as not sent."""

    customer_id: str
    channel: str
    answer: Mapping[str, Any]
    unsent: bool = False

    @property
    def actions(self) -> list[str]:
        """What was decided, best first."""
        return [one["action_id"] for one in self.answer["actions"]]


@dataclass(frozen=True)
class Found:
    """What came of a run.

    contacts     that count to limits
    over_limits  contacts above a limit, as the answers and as the ledgers tell it, added up
    differ       answers that are not what the ledger holds, two answers of one decision that differ, contacts that nobody was told of
    over, left   tokens handed out above a pool's cap; tokens that nobody got
    adrift       tokens by which a pool and the ledgers disagree
    """

    decisions: int
    contacts: int
    over_limits: int
    differ: int
    over: int
    left: int
    adrift: int

    @property
    def holds(self) -> bool:
        """Whether nothing went wrong."""
        return not any((self.over_limits, self.differ, self.over, self.left, self.adrift))


def compared(answers: Sequence[Asked], store: Store, customers: Sequence[str], *, pool: int) -> Found:
    """What the answers, the ledgers of these customers and the pools of so many vouchers and gifts say of each other."""
    now = int(time.time())
    held = dict(zip(customers, (_contacts(store, customers)), strict=True))
    by_id: dict[str, list[Asked]] = {}
    for asked in answers:
        by_id.setdefault(asked.answer["decision_id"], []).append(asked)
    told = [(one.customer_id, one.channel, one.actions) for (one, *_) in by_id.values() if not one.unsent]
    stands = [(who, one.channel, list(one.actions)) for who, own in held.items() for one in own if one.stands(now)]
    pools = store.levels(sorted(_caps(pool, held)), now=now)
    drawn = _drawn(held)
    return Found(
        decisions=len(by_id),
        contacts=sum(not SERVING.issuperset(actions) for *_, actions in stands),
        over_limits=exceeded(told) + exceeded(stands),
        differ=_differing(by_id, held),
        over=sum(max(pools[name].used - cap, 0) for name, cap in _caps(pool, held).items()) + _above(told, pool),
        left=sum(max(cap - pools[name].used, 0) for name, cap in _caps(pool, held).items()),
        adrift=sum(abs(pools[name].used - drawn[name]) for name in pools),
    )


def _contacts(store: Store, customers: Sequence[str]) -> Iterator[tuple[Contact, ...]]:
    for customer in store.customers(customers):
        yield ledger_of.load(customer.ledger if customer else None).contacts


def exceeded(contacts: Iterable[tuple[str, str, Sequence[str]]]) -> int:
    """How many contacts (whose, on which channel, with which actions) stand above a limit."""
    counts = Counter[tuple[str, str]]()
    for customer_id, channel, actions in contacts:
        counted = not SERVING.issuperset(actions)
        counts[customer_id, "all"] += counted
        counts[customer_id, "email"] += counted and channel == "email"
        counts[customer_id, "gifts"] += "gift" in actions
    return sum(max(count - LIMITS[limit], 0) for (_, limit), count in counts.items())


def _differing(by_id: Mapping[str, Sequence[Asked]], held: Mapping[str, Sequence[Contact]]) -> int:
    """Answers that say something else than the ledger, or than another answer of the same decision, and contacts without an answer."""
    kept = {contact.decision_id: list(contact.actions) for own in held.values() for contact in own}
    told = sum(any(one.actions != kept.get(name, []) for one in answers) for name, answers in by_id.items())
    return told + len(kept.keys() - by_id.keys())


def _caps(pool: int, held: Mapping[str, Sequence[Contact]]) -> dict[str, int]:
    """The tokens of each pool, by its name; that of the budget tells its period, which the ledgers know."""
    names = {name for own in held.values() for one in own for drawn in one.drawn.values() for name in drawn}
    return {name: pool * COINS if name.startswith("budget:") else pool for name in names}


def _drawn(held: Mapping[str, Sequence[Contact]]) -> Counter[str]:
    """The tokens that the ledgers know of, by pool."""
    drawn = Counter[str]()
    for one in (contact for own in held.values() for contact in own):
        for action_id, pools in one.drawn.items():
            if "not_sent" not in one.outcomes.get(action_id, {}):
                drawn.update(pools)
    return drawn


def _above(told: Iterable[tuple[str, str, Sequence[str]]], pool: int) -> int:
    """Vouchers and gifts that were promised above what there was."""
    given = Counter(action for *_, actions in told for action in actions)
    return sum(max(given[name] - pool, 0) for name in ("voucher", "gift"))
