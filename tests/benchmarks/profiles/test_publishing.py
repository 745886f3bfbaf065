"""What the benchmark of publishing and reading says is so on a small shop, on both stores."""

from benchmarks.profiles.publishing import drawn, publish
from benchmarks.profiles.reading import measure
from service.store.open import open_store


def test_everybody_of_a_drawn_history_is_published_small(tmp_path, store_url):
    done = publish(store_url, [drawn(tmp_path, customers=500)])
    store = open_store(store_url)
    assert done.customers == len(store.customer_ids()) == 500
    assert 0 < done.documents[1] <= done.documents[2] <= done.documents[3] < 1_000
    assert done.largest_summary <= 800


def test_a_customer_is_read_in_one_call_of_some_microseconds(tmp_path, store_url):
    found = measure(store_url, tmp_path)
    assert 0 < found.bare <= found.loaded
    assert found.read < 100 * found.bare  # a hundred round trips it is not, however busy the machine
