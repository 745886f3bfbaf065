"""Which list is credited with what: by its recommendation_id, else by what was shown within the hour before."""

import orjson
import pytest

from models.event_log import encode
from models.profile import Event
from service.credit import sums
from service.events import fold
from service.evidence import Evidence
from service.lists.tokens import Token, sign
from service.store import Entry, Store
from tests.worlds import NOW

SECRET = b"tiny"
BOLD = ("home", "bold")


def listed(nth: int = 1, unit: str = "u1", *, experiment: str | None = "home") -> str:
    variant = "bold" if experiment else None
    return sign(Token("home", variant, "one", NOW + nth, str(nth), experiment, unit if experiment else ""), SECRET)


def tell(
    store: Store, name: str, item_id: str | None, at: int = NOW, *, customer: str = "ann", by: str | None = None
) -> None:
    amount = 500 if name == "purchase" else 0
    body = encode(Event(name, at, item_id=item_id, amount=amount), recommendation_id=by)
    key = f"{store.newest()} {name}"
    assert store.record([Entry(customer, (key,), at, body)], fold) == ["accepted"]


def counts(store: Store) -> dict[str, tuple[int, int, int, int]]:
    """unit -> lists shown, clicks, conversions, money."""
    numbers, rows = Evidence(SECRET).credits(store)
    found = {}
    for unit in ("u1", "u2"):
        hers = sums(rows[rows["unit"] == hash(unit)], numbers.get(BOLD, -1))
        if len(hers.exposures):
            columns = (hers.exposures, hers.clicks, hers.conversions, hers.value)
            found[unit] = tuple(int(column[0]) for column in columns)
    return found


def test_what_carries_the_recommendation_id_is_credited_to_its_list_however_late(store: Store) -> None:
    tell(store, "view_item_list", "shoes", by=listed())
    tell(store, "view_item_list", "dress", by=listed())  # the second line of the same list
    tell(store, "select_item", "shoes", NOW + 10, by=listed())
    tell(store, "view_item", "shoes", NOW + 20, by=listed())  # the page that the click led to
    tell(store, "purchase", "shoes", NOW + 86_400, by=listed(), customer="ann, by now logged in")
    assert counts(store) == {"u1": (1, 1, 1, 500)}


@pytest.mark.parametrize(
    ("after_s", "customer", "item_id", "bought"),
    [
        (1, "ann", "shoes", 1),
        (3_600, "ann", "shoes", 1),
        (3_601, "ann", "shoes", 0),
        (-1, "ann", "shoes", 0),
        (60, "bob", "shoes", 0),
        (60, "ann", "dress", 0),
    ],
)
def test_what_carries_none_is_credited_within_the_hour_for_the_same_customer_and_item(
    store: Store, after_s: int, customer: str, item_id: str, bought: int
) -> None:
    tell(store, "purchase", item_id, NOW + after_s, customer=customer)  # the till may tell it first
    tell(store, "view_item_list", "shoes", by=listed())
    assert counts(store) == {"u1": (1, 0, bought, 500 * bought)}


def test_of_two_lists_that_showed_it_the_last_one_is_credited(store: Store) -> None:
    tell(store, "email_sent", "shoes", NOW, by=listed(1, "u1"))
    tell(store, "view_item_list", "shoes", NOW + 100, by=listed(2, "u2"))
    tell(store, "purchase", "shoes", NOW + 200)
    assert counts(store) == {"u1": (1, 0, 0, 0), "u2": (1, 0, 1, 500)}


def test_what_says_another_list_is_not_credited_to_what_was_shown_and_a_forged_id_says_nothing(store: Store) -> None:
    tell(store, "view_item_list", "shoes", by=listed())
    tell(store, "purchase", "shoes", NOW + 1, by=listed(9, experiment=None))
    assert counts(store) == {"u1": (1, 0, 0, 0)}
    tell(store, "purchase", "shoes", NOW + 2, by="forged")
    assert counts(store) == {"u1": (1, 0, 1, 500)}


def test_outcomes_count_and_what_an_event_told_already_counts_once(store: Store) -> None:
    def outcome(name: str, item_id: str | None, amount: int | None = None) -> None:
        document = {"name": name, "about": listed(), "item_id": item_id, "amount": amount, "at": NOW}
        store.put("outcome", f"{name} {item_id}", orjson.dumps(document))

    outcome("shown", None)
    outcome("clicked", "shoes")
    outcome("converted", "shoes", 700)
    assert counts(store) == {"u1": (1, 1, 1, 700)}
    tell(store, "purchase", "shoes", by=listed())
    assert counts(store) == {"u1": (1, 1, 1, 500)}


def test_an_erased_customer_is_in_no_report(store: Store) -> None:
    tell(store, "view_item_list", "shoes", by=listed())
    tell(store, "purchase", "shoes", NOW + 1)
    store.erase("ann")
    assert counts(store) == {}


def test_the_list_may_be_told_of_after_the_click_however_much_came_in_between(store: Store) -> None:
    tell(store, "add_to_cart", "A", NOW + 60)
    for nth in range(1_100):
        store.record([Entry("bob", (f"between {nth}",), NOW, encode(Event("view_item", NOW, item_id="A")))], fold)
    tell(store, "view_item_list", "A", NOW, by=listed())
    assert counts(store) == {"u1": (1, 1, 0, 0)}
