from models.settings import DAY_S
from models.settings_file import parse
from tests.training.histories import history
from tests.worlds import tiny_models
from training.audiences import audiences
from training.profiles import profiles

SHOP = """
attributes = { city = "text" }
[[segments]]
name = "spenders"
when = "spent(30) > 5"
[[segments]]
name = "Trang"
when = 'attributes.city == "Trang"'
"""


def test_each_segment_is_counted_and_profiled():
    whole = history(
        ("ann", "a", 95, {"amount": 900}), ("ben", "a", 90, {"amount": 400}), ("eve", "a", 20, {"amount": 900})
    )
    now = 100 * DAY_S
    spenders, trang = audiences(
        profiles(whole, now=now),
        {"ben": {"city": "Trang"}},
        parse(SHOP, "valet.toml"),
        tiny_models(),
        now=now,
        customers=3,
    )
    assert (spenders["customers"], spenders["share"], spenders["spent"]) == (1, 1 / 3, 9.0)
    assert (trang["customers"], trang["orders"], trang["days_since_order"]) == (1, 1, 10.0)
