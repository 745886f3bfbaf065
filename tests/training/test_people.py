"""What training tells the store of customers."""

import pytest

from service.store.open import open_store
from tests.service.http.apps import tiny_client
from training import people
from training.catalogue import read_table


@pytest.mark.parametrize("name", ["customers.csv", "customers.tsv"])
def test_a_customer_known_by_attributes_alone_has_a_profile(tmp_path, store_url, name):
    sign = "\t" if name.endswith(".tsv") else ","
    (tmp_path / name).write_text(
        "\n".join(map(sign.join, [("customer_id", "city", "persona"), ("new", "Bangkok", "gifts")]))
    )
    store = open_store(store_url)
    assert people.publish_attributes(store, read_table(str(tmp_path / name))) == 1
    shown = tiny_client(tmp_path, store=store_url).get("/customers/new").json
    assert (shown["lifecycle"], shown["orders"]["count"]) == ("visitor", 0)
    assert (shown["person"]["city"], shown["person"]["persona"]) == ("Bangkok", "gifts")
