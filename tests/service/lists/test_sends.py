from models.event_log import encode
from models.profile import Event, load
from service.events import fold
from service.lists.sends import Send, Sends, as_of
from service.people.customers import read
from service.store import Entry, Store
from tests.fakes import FakeStore
from tests.worlds import NOW


def tell(store: Store, name: str, item_id: str, at: int) -> None:
    event = Event(name, at, item_id=item_id)
    store.record([Entry("ann", (f"{name} {item_id} {at}",), at, encode(event))], fold)


def test_a_send_begins_when_it_is_first_named_on_whatever_worker(store: Store) -> None:
    tell(store, "view_item", "dress", NOW)
    first = Sends(store).begun("spring", now=NOW)
    tell(store, "view_item", "shoes", NOW)
    assert first == Send(NOW, 1)
    assert Sends(store).begun("spring", now=NOW + 3_600) == first
    assert Sends(store).begun("summer", now=NOW + 3_600) == Send(NOW + 3_600, 2)


def test_what_came_since_the_start_is_not_known_to_the_send_even_where_it_happened_before(store: Store) -> None:
    tell(store, "purchase", "dress", NOW)
    send = Sends(store).begun("spring", now=NOW)
    assert send is not None
    tell(store, "view_item", "shoes", NOW - 100)
    tell(store, "purchase", "dress", NOW + 100)
    known = as_of(read(store, "ann"), send, store=store, customer_id="ann")
    assert {item_id: (item.purchases, item.last_at) for item_id, item in known.profile.items.items()} == {
        "dress": (1, NOW)
    }
    later = Sends(store).begun("summer", now=NOW + 200)
    assert later is not None
    assert as_of(read(store, "ann"), later, store=store, customer_id="ann") == read(store, "ann")


def test_without_a_store_a_send_is_of_now() -> None:
    away = FakeStore()
    away.away = True
    assert Sends(None).begun("spring", now=NOW) is None
    assert Sends(away).begun("spring", now=NOW) is None
    assert load(None).items == {}
