"""What may come in as events, and what is kept of it."""

import itertools
from datetime import UTC, datetime

import orjson
import pytest

from models.errors import InputError, StoreUnavailable
from models.profile import load
from service.events import Receipt, Rules, record, summary
from service.fields import SKEW_S
from service.people import facts
from tests.fakes import FakeStore

NOW = 1_764_000_000
DAY = 86_400


def rfc(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def post(store: FakeStore, payload, *, now=NOW, rules=Rules("THB")) -> list[Receipt]:  # noqa: B008
    ids = (f"id-{len(store.log)}-{n}" for n in itertools.count())
    return record(payload, store=store, rules=rules, now=now, new_id=lambda: next(ids))


def statuses(receipts: list[Receipt]) -> list[str]:
    return [receipt.status for receipt in receipts]


def profile(store: FakeStore, customer_id: str = "anna"):
    return load(store.people[customer_id].profile)


VIEW = {"event": "view_item", "customer_id": "anna", "item_id": "DR-001"}
ORDER = {
    "event": "purchase",
    "customer_id": "anna",
    "transaction_id": "T-1",
    "currency": "THB",
    "items": [{"item_id": "A", "price": 10.005, "quantity": 2}, {"item_id": "B", "price": "3.30"}],
}


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(VIEW, id="plain"),
        pytest.param([VIEW], id="list"),
        pytest.param({"events": [VIEW]}, id="wrapped"),
        pytest.param(
            {"event": "view_item", "user_id": "anna", "ecommerce": {"items": [{"item_id": "DR-001"}]}}, id="data layer"
        ),
        pytest.param(
            {
                "client_id": "1.2",
                "user_id": "anna",
                "timestamp_micros": NOW * 1_000_000,
                "events": [{"name": "view_item", "params": {"items": [{"item_id": "DR-001", "item_name": "Dress"}]}}],
            },
            id="measurement protocol",
        ),
    ],
)
def test_every_form_of_the_same_event_gives_the_same_profile(store, payload):
    assert statuses(post(store, payload)) == ["accepted"]
    assert profile(store).items["DR-001"].events == {"view_item": 1}
    assert profile(store).last_seen == NOW


def test_a_purchase_counts_its_money_exactly_and_once_an_order(store):
    assert statuses(post(store, ORDER)) == ["accepted"]
    bought = profile(store)
    assert (bought.orders, bought.value) == (1, 2001 + 330)
    assert set(bought.items) == {"A", "B"}


def test_the_value_of_a_basket_without_prices_is_kept_once(store):
    post(store, {**ORDER, "items": [{"item_id": "A"}, {"item_id": "B"}], "value": 99.5})
    assert profile(store).value == 9950


def test_lines_of_one_item_are_one_line(store):
    post(store, {**ORDER, "items": [{"item_id": "A", "price": 1}, {"item_id": "A", "price": 2, "quantity": 3}]})
    assert (profile(store).value, profile(store).items["A"].quantity) == (700, 4000)


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(({**VIEW, "event_id": "e1"}, {**VIEW, "event_id": "e1"}), id="event id"),
        pytest.param((ORDER, ORDER), id="order and item"),
        pytest.param(
            ({**ORDER, "event_id": "x"}, {**ORDER, "event_id": "y"}), id="order and item under another event id"
        ),
        pytest.param(({**VIEW, "time": rfc(NOW)}, {**VIEW, "time": rfc(NOW)}), id="all that it says, and when"),
        pytest.param(
            ({"event": "purchase", "customer_id": "anna", "order_id": "T-2", "value": 5},) * 2,
            id="an order without items",
        ),
    ],
)
def test_a_repeat_is_known_and_counts_nothing(store, again):
    first, second = again
    assert statuses(post(store, first)) == ["accepted"]
    before = store.people["anna"].profile
    assert statuses(post(store, second, now=NOW + 60)) == ["repeated"]
    assert store.people["anna"].profile == before


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param((VIEW, VIEW), id="two looks without a time or an id"),
        pytest.param(({**VIEW, "time": rfc(NOW)}, {**VIEW, "time": rfc(NOW - 1)}), id="another second"),
        pytest.param(
            tuple(
                {**ORDER, "event": "refund", "event_id": name, "items": [{"item_id": "A", "price": 1}]} for name in "ab"
            ),
            id="two refunds of one line",
        ),
    ],
)
def test_what_differs_counts_twice(store, pair):
    assert statuses(post(store, list(pair))) == ["accepted", "accepted"]


@pytest.mark.parametrize(
    ("row", "known_by"),
    [
        pytest.param(VIEW, 0, id="without an id, a time or an order: by nothing"),
        pytest.param({**VIEW, "time": rfc(NOW)}, 1, id="by all that it says"),
        pytest.param({**VIEW, "event_id": "e"}, 1, id="by its id"),
        pytest.param({**ORDER, "items": ["A"]}, 1, id="by its order and item"),
        pytest.param({**ORDER, "items": ["A"], "event_id": "e"}, 2, id="by its id, and by its order and item"),
    ],
)
def test_a_key_is_kept_only_of_what_can_come_again(store, row, known_by):
    post(store, row)
    assert [len(entry.keys) for entry in store.log] == [known_by]


def test_a_repeat_inside_one_call_is_known(store):
    assert statuses(post(store, [ORDER, VIEW, ORDER])) == ["accepted", "accepted", "repeated"]


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"event": None}, "event", "is missing"),
        ({"event": "x" * 101}, "event", "101 characters"),
        ({"customer_id": None}, "customer_id", "customer_id or session_id"),
        ({"customer_id": ""}, "customer_id", "is empty"),
        ({"customer_id": True}, "customer_id", "is not a text"),
        ({"customer_id": "x" * 1_000_000}, "customer_id", "1000000 characters"),
        ({"item_id": ["A"]}, "item_id", "is not a text"),
        ({"quantity": -1}, "quantity", "must be above 0"),
        ({"quantity": 0}, "quantity", "must be above 0"),
        ({"quantity": 1e300}, "quantity", "must be at most"),
        ({"quantity": "two"}, "quantity", "is not a number"),
        ({"price": -0.01}, "price", "must be at least 0"),
        ({"price": "1e400"}, "price", "is not a number"),
        ({"price": 1e11, "quantity": 1e5}, "price", "more money"),
        ({"currency": "EUR"}, "currency", "not the shop's currency THB"),
        ({"time": rfc(NOW + SKEW_S + 1)}, "time", "in the future"),
        ({"time": rfc(NOW - 31 * DAY)}, "time", "too old"),
        ({"time": "1989-12-31T23:59:59Z"}, "time", "before 1990"),
        ({"time": "2026-02-30T00:00:00Z"}, "time", "no time of any calendar"),
        ({"time": "2026-11-21"}, "time", "RFC 3339"),
        ({"time": "2026-11-21T00:00:00"}, "time", "RFC 3339"),
        ({"time": NOW}, "time", "RFC 3339"),
        ({"timestamp_micros": (NOW + DAY) * 10**6}, "timestamp_micros", "in the future"),
        ({"items": "A"}, "items", "is not a list"),
        ({"items": [{"price": 1}]}, "items.0.item_id", "is missing"),
        ({"items": [{"item_id": "A"}, {"item_id": "B", "quantity": -2}]}, "items.1.quantity", "must be above 0"),
        ({"items": [7]}, "items.0", "is no object"),
        ({"note": "x" * 1_000_000}, "extra", "more than 8192 bytes"),
        ({"event": "consent", "status": "maybe"}, "status", "none of granted"),
    ],
)
def test_a_bad_row_is_refused_with_its_field_and_the_rest_is_kept(store, change, field, says):
    receipts = post(store, [{**VIEW, **change}, VIEW])
    assert statuses(receipts) == ["refused", "accepted"]
    assert says in " ".join(receipts[0].errors[field])
    assert list(receipts[0].errors) == [field]
    assert len(store.log) == 1


def test_a_caller_hears_of_all_that_is_wrong_at_once(store):
    (receipt,) = post(store, {"event": "purchase", "quantity": -1, "time": "yesterday", "currency": "USD"})
    assert set(receipt.errors) == {"customer_id", "quantity", "time", "currency"}


@pytest.mark.parametrize("payload", ["text", 7, None, [], {"events": []}, {"events": "x"}, [VIEW] * 501])
def test_what_is_no_list_of_rows_is_refused_whole(store, payload):
    with pytest.raises(InputError):
        post(store, payload)
    assert store.log == []


def test_500_rows_are_taken(store):
    assert statuses(post(store, [VIEW] * 500)) == ["accepted"] * 500


def test_a_clock_a_little_ahead_is_taken_as_now(store):
    post(store, {**VIEW, "time": rfc(NOW + SKEW_S)})
    assert profile(store).last_seen == NOW


def test_an_import_takes_any_age(store):
    assert statuses(post(store, {**VIEW, "time": "1996-01-01T00:00:00+07:00"}, rules=Rules(max_age_days=0))) == [
        "accepted"
    ]


def test_what_a_visit_does_stands_under_its_session(store):
    post(store, {"event": "view_item", "session_id": "s1", "item_id": "A"})
    assert list(store.people) == ["session:s1"]


def test_a_customer_comes_before_her_session(store):
    post(store, {**VIEW, "session_id": "s1"})
    assert list(store.people) == ["anna"]


def test_whole_numbers_are_ids_without_their_decimals(store):
    post(store, {"event": "view_item", "customer_id": 17850.0, "item_id": 22697})
    assert set(profile(store, "17850").items) == {"22697"}


def test_an_unknown_event_is_kept_with_all_it_says_and_counts_for_nothing(store):
    post(store, {**VIEW, "event": "spun_the_wheel", "prize": 7})
    assert profile(store).items == {}
    kept = orjson.loads(store.log[0].body)
    assert (kept["event"], kept["extra"]) == ("spun_the_wheel", {"prize": 7})


@pytest.mark.parametrize("identity", ["a b/c", "ลูกค้า", "🛍️", "x" * 1000])
def test_ids_are_opaque(store, identity):
    assert statuses(post(store, {**VIEW, "customer_id": identity, "item_id": identity})) == ["accepted"]
    assert list(profile(store, identity).items) == [identity]


def test_an_unsubscription_takes_the_consent_back_at_once(store):
    post(
        store,
        {"event": "consent", "customer_id": "anna", "channel": "email", "status": "granted", "time": rfc(NOW - 5)},
    )
    assert facts.consent(facts.load(store.people["anna"].facts), "marketing", "email") == "yes"
    post(store, {"event": "unsubscribe", "customer_id": "anna"})
    assert facts.consent(facts.load(store.people["anna"].facts), "marketing", "email") == "no"


@pytest.mark.parametrize(
    ("bounce", "stopped"), [({}, True), ({"bounce_type": "hard"}, True), ({"bounce_type": "soft"}, False)]
)
def test_a_bounced_address_is_used_no_more(store, bounce, stopped):
    post(store, {"event": "email_bounce", "customer_id": "anna", **bounce})
    assert facts.do_not_contact(facts.load(store.people["anna"].facts), "email") is stopped


def test_nothing_is_acknowledged_while_the_store_is_away(store):
    store.away = True
    with pytest.raises(StoreUnavailable):
        post(store, VIEW)


def test_the_summary_counts_what_it_lists(store):
    told = summary(post(store, [ORDER, ORDER, {**VIEW, "quantity": -1}]))
    assert (told["accepted"], told["repeated"], told["refused"]) == (1, 1, 1)
    assert [row["index"] for row in told["results"]] == [0, 1, 2]
    assert all(set(row) == {"index", "status", "event_id", "errors"} for row in told["results"])
