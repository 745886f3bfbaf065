from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.tokens import verify
from tests.service.http.apps import tiny_client

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
