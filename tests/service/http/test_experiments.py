from pathlib import Path

import pytest
from flask.testing import FlaskClient

from models.profile import rfc3339
from service.http.experiments import ExperimentsSchema
from service.lists.tokens import verify
from tests.service.decisions.worlds import SILENCE, action
from tests.service.http.apps import tiny_client
from tests.worlds import DAY_S, NOW

SETTINGS = """
[placements.home]
intent = "for_you"

[placements.home.experiment]
name = "home"

[[placements.home.experiment.variants]]
name = "control"

[[placements.home.experiment.variants]]
name = "short"
intent = "popular"
n = 2
"""


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    (tmp_path / "valet.toml").write_text(SETTINGS)
    return tiny_client(tmp_path, config=tmp_path / "valet.toml")


def listed(client: FlaskClient, customer_id: str, **more: object) -> dict[str, object]:
    answer = client.post("/recommend", json={"customer_id": customer_id, "placement": "home", **more}).json
    assert answer is not None
    return answer


def test_the_answer_names_the_variant_and_the_variant_makes_the_list(client: FlaskClient) -> None:
    lengths: dict[str, set[object]] = {}
    for number in range(20):
        answer = listed(client, f"c{number}")
        experiment, items = answer["experiment"], answer["items"]
        assert isinstance(experiment, dict) and isinstance(items, list)  # noqa: PT018
        assert experiment["name"] == "home"
        lengths.setdefault(experiment["variant"], set()).add((answer["intent"], len(items)))
    assert lengths == {"control": {("for_you", 8)}, "short": {("popular", 2)}}


def test_a_customer_gets_the_same_variant_every_time_and_what_she_asks_for_herself_wins(client: FlaskClient) -> None:
    for customer in ("c0", "c1", "c2", "c3"):
        first = listed(client, customer)["experiment"]
        again = listed(client, customer, n=3, intent="popular")
        assert again["experiment"] == first
        assert (again["intent"], len(again["items"])) == ("popular", 3)  # type: ignore[arg-type]


def test_the_recommendation_id_carries_the_variant_and_no_customer(client: FlaskClient) -> None:
    first, again = listed(client, "c0"), listed(client, "c0", n=1)
    token, other = (verify(str(answer["recommendation_id"]), b"tiny") for answer in (first, again))
    assert token is not None and other is not None  # noqa: PT018
    assert {"name": token.experiment, "variant": token.variant} == first["experiment"]
    assert token.unit == other.unit != ""
    assert "c0" not in token.unit


def test_nobody_is_in_no_experiment(client: FlaskClient) -> None:
    answer = client.get("/recommend?placement=home").json
    assert answer is not None
    assert answer["experiment"] is None
    assert client.get("/recommend?placement=home&session_id=s").json["experiment"] is not None  # type: ignore[index]


def tell(client: FlaskClient, *events: dict[str, object]) -> None:
    assert client.post("/events", json=list(events)).status_code == 200


def test_the_report_says_what_each_variant_brought_and_how_sure_that_is(client: FlaskClient) -> None:
    bought: dict[str, int] = {"control": 0, "short": 0}
    dealt: dict[str, int] = {"control": 0, "short": 0}
    for number in range(60):
        customer = f"c{number}"
        answer = listed(client, customer)
        token, variant = answer["recommendation_id"], answer["experiment"]["variant"]  # type: ignore[index]
        items = [{"item_id": item["item_id"]} for item in answer["items"]]  # type: ignore[attr-defined]
        dealt[variant] += 1
        tell(client, {"event": "view_item_list", "customer_id": customer, "items": items, "recommendation_id": token})
        if number % 3 == 0 or (variant == "short" and number % 2):
            bought[variant] += 1
            sale = {"event": "purchase", "customer_id": customer, "order_id": customer, **items[0], "price": 10}
            tell(client, sale)
        outcome = {"recommendation_id": token, "outcome": "clicked", "item_id": items[0]["item_id"]}
        assert client.post("/outcomes", json=outcome).status_code == 200
    answer = client.get("/experiments").json
    assert answer is not None
    assert ExperimentsSchema().validate(answer) == {}
    [experiment] = answer["experiments"]
    assert (experiment["name"], experiment["placement"], experiment["control"]) == ("home", "home", "control")
    assert experiment["sample_ratio"]["trusted"] is True
    for variant in experiment["variants"]:
        name = variant["name"]
        assert (variant["customers"], variant["exposures"]) == (dealt[name], dealt[name])
        assert (variant["clicks"], variant["click_rate"]) == (dealt[name], 1.0)
        assert (variant["conversions"], variant["value"]) == (bought[name], 10.0 * bought[name])
    assert experiment["variants"][0]["lift"] is None
    found = experiment["variants"][1]["lift"]["conversions_per_customer"]
    expected = (bought["short"] / dealt["short"]) / (bought["control"] / dealt["control"]) - 1
    assert found["relative"] == pytest.approx(expected, abs=1e-5)
    assert found["always_valid"][0] < found["interval"][0] < found["relative"] < found["interval"][1]
    assert any("always_valid" in warning for warning in experiment["warnings"])


def test_a_list_that_nobody_told_of_as_shown_counts_nowhere_because_asking_writes_nothing(client: FlaskClient) -> None:
    for number in range(5):
        listed(client, f"c{number}")
    [experiment] = client.get("/experiments").json["experiments"]  # type: ignore[index]
    assert [variant["customers"] for variant in experiment["variants"]] == [0, 0]
    assert [variant["click_rate"] for variant in experiment["variants"]] == [None, None]


def test_without_experiments_or_a_store_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "actions.toml").write_text(SILENCE)
    (tmp_path / "valet.toml").write_text("")
    plain = tiny_client(tmp_path, config=tmp_path / "valet.toml", actions=tmp_path / "actions.toml")
    assert plain.get("/experiments").json == {"experiments": [], "arms": None}
    (tmp_path / "valet.toml").write_text(SETTINGS)
    without = tiny_client(tmp_path, store="none", config=tmp_path / "valet.toml")
    assert without.get("/experiments").status_code == 503


def test_a_merchandising_rule_is_tried_by_a_control_without_it(tmp_path: Path) -> None:
    rule = '\n[[merchandising]]\nname = "bags first"\nplacements = ["home"]\nitems = ["DR-003"]\npin = 1\n'
    (tmp_path / "valet.toml").write_text(SETTINGS.replace('"control"', '"control"\nwithout = ["bags first"]') + rule)
    client = tiny_client(tmp_path, config=tmp_path / "valet.toml")
    first: dict[str, set[str]] = {}
    for number in range(20):
        answer = listed(client, f"c{number}")
        first.setdefault(answer["experiment"]["variant"], set()).add(answer["items"][0]["item_id"])  # type: ignore[index]
    assert first["short"] == {"DR-003"}
    assert "DR-003" not in first["control"]


def test_the_report_says_what_deciding_brings_beside_holding_out(tmp_path: Path) -> None:
    (tmp_path / "valet.toml").write_text("")
    (tmp_path / "actions.toml").write_text("[arms]\nholdout = 0.5\n" + action("sale") + SILENCE)
    files = {"config": tmp_path / "valet.toml", "actions": tmp_path / "actions.toml"}
    client, later = tiny_client(tmp_path, now=NOW - 2 * DAY_S, **files), tiny_client(tmp_path, **files)
    dealt: dict[str, list[str]] = {"holdout": [], "full": []}
    for number in range(80):
        customer = f"c{number}"
        answer = client.post("/next-best-action", json={"customer_id": customer, "channel": "website"}).json
        dealt[answer["arm"]].append(customer)  # type: ignore[index]
    for customer in [*dealt["holdout"][::4], *dealt["full"][::2]]:
        sale = {"event": "purchase", "customer_id": customer, "order_id": customer, "item_id": "DR-001", "price": 10}
        tell(
            later,
            {**sale, "time": rfc3339(NOW)},
            {**sale, "time": rfc3339(NOW - 3 * DAY_S), "order_id": f"before {customer}"},
        )
    found = later.get("/experiments").json
    assert found is not None
    assert ExperimentsSchema().validate(found) == {}
    held, full = found["arms"]["arms"]
    assert (found["arms"]["control"], held["lift"], held["needed"]) == ("holdout", None, None)
    assert [held["customers"], full["customers"]] == [len(dealt["holdout"]), len(dealt["full"])]
    assert [held["buyers"], full["buyers"]] == [len(dealt["holdout"][::4]), len(dealt["full"][::2])]
    assert full["value"] == 10.0 * full["buyers"]
    rates = full["buyers_per_customer"] / held["buyers_per_customer"] - 1
    lifted = full["lift"]["buyers_per_customer"]
    assert lifted["relative"] == pytest.approx(rates, abs=1e-4)
    assert lifted["always_valid"][0] < lifted["interval"][0] < lifted["relative"] < lifted["interval"][1]
    wanted = full["needed"]["buyers_per_customer"]
    assert wanted["still"] == [wanted["customers"][0] - held["customers"], wanted["customers"][1] - full["customers"]]
