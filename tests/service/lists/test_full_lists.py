"""Whenever k items pass the mask, a list of min(n, k) comes back: in random shops, for every intent, whatever is filtered and excluded.

What passes is said here once more, item by item, in plain Python, so that a mask that takes too much or too little is found.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.filters import parse
from service.lists.recommend import Answer, recommend
from service.lists.request import INTENTS, Request
from service.lists.taste import taste
from tests.random_worlds import ITEMS, World, a_world
from tests.worlds import DAY_S, NOW

OWN = ("buy_again", "recently_viewed")
FILTER = {"any": [{"field": "colour", "value": "red"}, {"field": "price", "op": "lt", "value": 40}]}


def a_request(rng: np.random.Generator, intent: str) -> Request:
    def some(*values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    asked = [str(item_id) for item_id in rng.choice([*ITEMS, "not there"], int(rng.integers(0, 3)))]
    return Request(
        intent=intent,
        item_ids=tuple(asked),
        customer_id="c",
        n=int(rng.integers(1, 50)),
        category=some((), (), ("A",), ("A > B", "D")),
        brand=some((), (), ("x",)),
        price_min=some(None, None, 20.0),
        price_max=some(None, None, 80.0),
        exclude=tuple(rng.choice(ITEMS, int(rng.integers(0, 30))).tolist()),
        exclude_owned=some(None, None, True, False),
        same=some((), (), ("brand",)),
        different=some((), (), ("colour",)),
        filter=some(None, None, parse(FILTER)),
        debug=True,
    ).at(None)


def passing(world: World, request: Request) -> set[str]:
    """The items that may stand in the list."""
    own = taste(world.profile, world.models, now=NOW)
    return {item_id for item_id in ITEMS if _passes(world, request, item_id)} - _early(world, request, own.owned)


def _passes(world: World, request: Request, item_id: str) -> bool:
    fields, items = world.fields, world.profile.items
    item, about = fields[item_id], [fields[other] for other in request.item_ids if other in fields]
    price = item["price"]
    owned = item_id in items and items[item_id].purchases > 0 and items[item_id].quantity > 0
    keeps_owned_out = (
        request.intent in ("for_you", "because_you") if request.exclude_owned is None else request.exclude_owned
    )
    return (
        item["available"]
        and (not item["adult"] or any(other["adult"] for other in about))
        and (
            not request.category or any(f"{item['category']} > ".startswith(f"{path} > ") for path in request.category)
        )
        and (not request.brand or item["brand"] in request.brand)
        and (request.price_min is None or (price is not None and price >= request.price_min * 100))
        and (request.price_max is None or (price is not None and price <= request.price_max * 100))
        and (request.filter is None or item["colour"] == "red" or (price is not None and price < 4_000))
        and all(_same(item, about, field) for field in request.same)
        and not any(_like(item, about, field) for field in request.different)
        and not (request.intent == "complementary" and _like(item, about, "group_id"))
        and item_id not in (*request.item_ids, *request.exclude)
        and item_id not in _disliked(world)
        and not (item_id in world.profile.cart and request.intent != "recently_viewed" and _fresh(world, item_id))
        and not (owned and keeps_owned_out)
    )


def _like(item: dict[str, Any], about: list[dict[str, Any]], field: str) -> bool:
    return item[field] is not None and item[field] in [other[field] for other in about]


def _same(item: dict[str, Any], about: list[dict[str, Any]], field: str) -> bool:
    return not any(other[field] for other in about) or _like(item, about, field)


def _disliked(world: World) -> set[str]:
    own = taste(world.profile, world.models, now=NOW)
    return set(world.models.catalogue.items.texts(own.disliked))


def _fresh(world: World, item_id: str) -> bool:
    return world.profile.cart[item_id].at >= NOW - 30 * DAY_S


def _early(world: World, request: Request, owned: np.ndarray) -> set[str]:
    """What she owns and bought less than its interval ago, where another of her items may stand in the list."""
    if request.intent != "buy_again":
        return set()
    hers = {item_id for item_id in world.models.catalogue.items.texts(owned) if _passes(world, request, item_id)}
    waiting = {item_id for item_id in hers if _waits(world, item_id)}
    return waiting if hers - waiting else set()


def _waits(world: World, item_id: str) -> bool:
    item = world.profile.items[item_id]
    interval = ((item.last_at - item.first_at) / DAY_S + 30) / item.purchases
    return (NOW - item.last_at) / DAY_S < interval / np.exp(0.6745 * 0.7)


def shown(answer: Answer) -> list[str]:
    return [pick.item_id for pick in answer.picks]


def ask(world: World, request: Request) -> Answer:
    return recommend(request, models=world.models, taste=taste(world.profile, world.models, now=NOW), now=NOW)


@pytest.mark.parametrize("intent", INTENTS)
@pytest.mark.parametrize("seed", range(60))
def test_a_list_is_as_long_as_the_mask_lets_it_be(seed: int, intent: str) -> None:
    rng = np.random.default_rng([seed, INTENTS.index(intent)])
    world, request = a_world(rng), a_request(rng, intent)
    allowed, items = passing(world, request), shown(ask(world, request))
    assert len(items) == len(set(items)) == min(request.length, len(allowed))
    assert set(items) <= allowed


@pytest.mark.parametrize("intent", OWN)
@pytest.mark.parametrize("seed", range(60))
def test_a_strict_list_of_her_own_items_holds_all_of_them_that_pass(seed: int, intent: str) -> None:
    rng = np.random.default_rng([seed, 100 + INTENTS.index(intent)])
    world, request = a_world(rng), a_request(rng, intent)._replace(strict=True)
    own = taste(world.profile, world.models, now=NOW)
    hers = own.owned if intent == "buy_again" else own.rows[own.seen_at > 0]
    allowed = passing(world, request) & set(world.models.catalogue.items.texts(hers))
    items = shown(ask(world, request))
    assert len(items) == len(set(items)) == min(request.length, len(allowed))
    assert set(items) <= allowed


@pytest.mark.parametrize("seed", range(40))
def test_the_rows_of_because_you_begin_with_her_own_items_and_share_none(seed: int) -> None:
    rng = np.random.default_rng([seed, 200])
    world, request = a_world(rng), a_request(rng, "because_you")
    answer = ask(world, request)
    own = taste(world.profile, world.models, now=NOW)
    anchors = [row for row, _ in answer.anchored]
    in_rows = [pick.item_id for _, row in answer.anchored for pick in row]
    assert set(anchors) <= set(own.rows[own.weights > 0].tolist())
    assert len(in_rows) == len(set(in_rows))
    assert all(0 < len(row) <= request.length for _, row in answer.anchored)
    assert set(in_rows).isdisjoint(request.exclude)
