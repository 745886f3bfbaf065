from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.profile import EMPTY, Event, dump, fold
from models.settings import Placement, Settings
from service.http.schemas import AnswerSchema
from service.lists.request import INTENTS
from service.lists.tokens import propensity, verify
from service.services import Services
from tests.service.http.apps import VERSION, tiny_app, tiny_client
from tests.worlds import DAY_S, NOW, STRANGE


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    app = tiny_app(tmp_path_factory.mktemp("shop"))
    services: Services = app.extensions["valet"]
    assert services.store is not None
    bought = fold(EMPTY, Event("purchase", NOW - 20 * DAY_S, item_id="DR-001", amount=199_000, order_id="1"))
    services.store.publish([("Khun/A ☂", dump(bought))], sequence=0, fold=lambda *_: b"")
    return app.test_client()


def ids(answer: dict[str, object]) -> list[str]:
    items = answer["items"]
    assert isinstance(items, list)
    return [item["item_id"] for item in items]


def test_answers_the_contract_s_shape(client: FlaskClient) -> None:
    answer = client.get("/recommend?item_id=DR-001&n=1&placement=product_page").json
    assert answer is not None
    token = answer.pop("recommendation_id")
    assert answer == {
        "model_version": VERSION,
        "placement": "product_page",
        "intent": "complementary",
        "items": [
            {
                "item_id": "SH-014",
                "rank": 1,
                "score": answer["items"][0]["score"],
                "source": "together",
                "reason": {
                    "code": "bought_together",
                    "because": ["DR-001"],
                    "text": "Often bought with Black wrap dress",
                },
                "item": {
                    "group_id": "shoe-14",
                    "title": "Black court shoes",
                    "title_th": "รองเท้าสีดำ",
                    "category": "Women > Shoes",
                    "product_type": "shoes",
                    "colour": "black",
                    "brand": "Suan",
                    "price": 1290.0,
                    "currency": "THB",
                },
            }
        ],
        "fallback": None,
        "degraded": False,
        "missing_ids": [],
        "experiment": None,
        "generated_at": "2026-01-01T00:00:00Z",
    }
    signed = verify(token, b"tiny")
    assert signed is not None
    assert (signed.placement, signed.model_version, signed.at) == ("product_page", VERSION, NOW)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("item_id=DR-001&item_id=DR-002&n=3", {"item_ids": ["DR-001", "DR-002"], "n": 3}),
        (f"item_id={quote(STRANGE, safe='')}", {"item_ids": [STRANGE]}),
        ("customer_id=Khun%2FA%20%E2%98%82&lang=th", {"customer_id": "Khun/A ☂", "lang": "th"}),
        (
            "category=Women%20%3E%20Shoes&category=Home&price_max=1300",
            {"category": ["Women > Shoes", "Home"], "price_max": 1300},
        ),
        (
            "item_id=DR-001&same=color&different=product_type",
            {"item_ids": ["DR-001"], "same": ["color"], "different": ["product_type"]},
        ),
        (
            "intent=popular&exclude=DR-001&exclude=SH-014&strict=true",
            {"intent": "popular", "exclude": ["DR-001", "SH-014"], "strict": True},
        ),
        ("item_id=&intent=&n=", {"item_ids": [], "intent": None, "n": None}),
    ],
)
def test_a_query_and_a_body_that_ask_the_same_get_the_same(
    client: FlaskClient, query: str, body: dict[str, object]
) -> None:
    by_query = client.get(f"/recommend?{query}")
    assert by_query.status_code == 200
    assert by_query.json == client.post("/recommend", json=body).json


@pytest.mark.parametrize(
    ("query", "intent"),
    [
        ("", "popular"),
        ("customer_id=x", "for_you"),
        ("session_id=x", "for_you"),
        ("item_id=DR-001&customer_id=x", "complementary"),
        ("item_id=DR-001&intent=similar", "similar"),
    ],
)
def test_the_intent_follows_from_what_is_known(client: FlaskClient, query: str, intent: str) -> None:
    answer = client.get(f"/recommend?{query}").json
    assert answer is not None
    assert answer["intent"] == intent


def test_never_recommends_what_the_customer_owns(client: FlaskClient) -> None:
    answer = client.get("/recommend?customer_id=Khun%2FA%20%E2%98%82").json
    assert answer is not None
    assert "DR-001" not in ids(answer)
    assert ids(answer)[0] == "SH-014"


@pytest.mark.parametrize(
    "query", ["item_id=nothing", "customer_id=nobody", "item_id=nothing&customer_id=nobody", "session_id=nobody"]
)
def test_what_is_unknown_gets_the_best_that_is_known(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/recommend?{query}").json
    assert answer is not None
    assert ids(answer)[0] == "DR-001"
    assert answer["fallback"] == "popular"
    assert answer["missing_ids"] == (["nothing"] if "nothing" in query else [])


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/recommend", {"n": 0}, {"n"}),
        ("/recommend", {"n": 101}, {"n"}),
        ("/recommend", {"n": 1.5}, {"n"}),
        ("/recommend", {"intent": "guess"}, {"intent"}),
        ("/recommend", {"colour": "red"}, {"colour"}),
        ("/recommend", {"item_ids": "DR-001"}, {"item_ids"}),
        ("/recommend", {"item_ids": [1]}, {"item_ids"}),
        ("/recommend", {"same": ["size"]}, {"same"}),
        ("/recommend", {"price_min": "NaN"}, {"price_min"}),
        ("/recommend", {"price_min": 3, "price_max": 2}, {"price_max"}),
        ("/recommend", {"boost": [{"filter": {"all": []}, "weight": "NaN"}]}, {"boost"}),
        ("/recommend", {"boost": [{"filter": {"all": []}, "weight": "inf"}]}, {"boost"}),
        ("/recommend", {"lang": "de"}, {"lang"}),
        ("/recommend", {"n": 0, "lang": "de"}, {"n", "lang"}),
        ("/recommend", {"filter": {"all": [{"field": "size", "value": 1}]}}, {"filter"}),
        ("/recommend", {"boost": [{"filter": {"field": "colour", "value": "red"}, "weight": 0}]}, {"boost"}),
        ("/recommend", {"context": {"deep": {"er": 1}}}, {"context"}),
        ("/recommend", {"context": {"device": "x" * 4_001}}, {"context"}),
        (
            "/next-best-action",
            {"customer_id": "c", "channel": "website", "context": {"page": "x" * 4_001}},
            {"context"},
        ),
        ("/recommend", [], {"_schema"}),
        ("/recommend/batch", {"requests": [{}, {"n": 0}]}, {"requests"}),
        ("/recommend/batch", {"requests": []}, {"requests"}),
        ("/rank", {}, {"item_ids"}),
        ("/rank", {"item_ids": []}, {"item_ids"}),
    ],
)
def test_a_wrong_field_is_named(client: FlaskClient, path: str, body: object, fields: set[str]) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert set(answer.json["errors"]) == fields


@pytest.mark.parametrize(
    "query", ["n=0", "n=x", "n=5&n=6", "color=red", "color=", "item_ids=DR-001", "price_min=inf", "strict=perhaps"]
)
def test_a_wrong_query_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"/recommend?{query}").status_code == 422


def test_only_the_fields_asked_for_are_sent(client: FlaskClient) -> None:
    answer = client.get("/recommend?item_id=DR-001&n=1&fields=title&fields=price&fields=nothing&lang=th").json
    assert answer is not None
    assert answer["items"][0]["item"] == {"title": "รองเท้าสีดำ", "price": 1290.0}


def test_explains_a_score_as_far_as_asked(client: FlaskClient) -> None:
    full = client.get("/recommend?item_id=DR-001&n=1&explain=full").json
    top = client.get("/recommend?item_id=DR-001&n=1&explain=top").json
    none = client.get("/recommend?item_id=DR-001&n=1").json
    assert full is not None and top is not None and none is not None  # noqa: PT018
    assert list(full["items"][0]["explain"]) == ["together", "alike"]
    assert list(top["items"][0]["explain"]) == ["together"]
    assert "explain" not in none["items"][0]


def test_ten_thousand_items_can_be_excluded(client: FlaskClient) -> None:
    exclude = [f"item {number}" for number in range(10_000)] + ["SH-014"]
    answer = client.post("/recommend", json={"item_ids": ["DR-001"], "exclude": exclude}).json
    assert answer is not None
    assert answer["items"]
    assert "SH-014" not in ids(answer)


def test_debug_tells_what_each_mask_removed(client: FlaskClient) -> None:
    asked = {
        "item_ids": ["DR-001"],
        "debug": True,
        "filter": {"field": "colour", "value": "black"},
        "exclude": [STRANGE],
    }
    answer = client.post("/recommend", json=asked).json
    assert answer is not None
    assert answer["debug"]["items"] == 11
    assert answer["debug"]["removed"] == {"out_of_stock": 1, "adult": 2, "filter": 4, "variants": 2, "exclude": 1}
    assert answer["debug"]["eligible"] == len(answer["items"]) == 1
    assert answer["debug"]["candidates"][0]["intent"] == "complementary"
    assert answer["debug"]["scores"][0]["item_id"] == answer["items"][0]["item_id"]
    assert AnswerSchema().validate(answer) == {}
    assert "debug" not in client.post("/recommend", json={"item_ids": ["DR-001"]}).json  # type: ignore[operator]


def test_rank_orders_what_it_is_given(client: FlaskClient) -> None:
    answer = client.post("/rank", json={"item_ids": ["VT-001", "SH-014", "none"], "customer_id": "Khun/A ☂"}).json
    assert answer is not None
    assert ids(answer) == ["SH-014", "VT-001", "none"]
    assert answer["missing_ids"] == ["none"]


def test_because_you_answers_rows(client: FlaskClient) -> None:
    answer = client.get("/recommend?intent=because_you&customer_id=Khun%2FA%20%E2%98%82").json
    assert answer is not None
    assert answer["rows"][0]["anchor"]["item_id"] == "DR-001"
    assert ids(answer["rows"][0])[0] == "SH-014"


def test_the_lists_of_a_distinct_page_never_repeat_an_item(client: FlaskClient) -> None:
    requests = [{"item_ids": ["DR-001"], "n": 2}, {"intent": "popular", "n": 3}, {"intent": "popular", "n": 3}]
    distinct = client.post("/recommend/batch", json={"requests": requests, "distinct": True}).json
    plain = client.post("/recommend/batch", json={"requests": requests}).json
    assert distinct is not None and plain is not None  # noqa: PT018
    shown = [item_id for answer in distinct["results"] for item_id in ids(answer)]
    assert len(shown) == len(set(shown)) == 8
    assert ids(plain["results"][1]) == ids(plain["results"][2])


def test_an_explored_item_tells_its_chance_and_so_does_the_recommendation_id(client: FlaskClient) -> None:
    asked = {"intent": "popular", "n": 4, "exploration": 1.0, "exclude": ["DR-001"], "session_id": "s"}
    answer = client.post("/recommend", json=asked).get_json()
    explored = [item for item in answer["items"] if item["source"] == "exploration"]
    signed = verify(answer["recommendation_id"], b"tiny")
    assert signed is not None
    assert explored
    for item in explored:
        assert 0 < item["probability"] == propensity(signed, item["item_id"])
        assert item["reason"]["text"] == "Something new to try"
    assert AnswerSchema().validate(answer) == {}
    assert ids(client.post("/recommend", json=asked).get_json()) == ids(answer)


def test_a_distinct_page_repeats_nothing_of_a_row_or_a_fallback_either(client: FlaskClient) -> None:
    who = {"customer_id": "Khun/A ☂"}
    requests = [
        {**who, "intent": "because_you", "n": 2},
        {"item_ids": ["DR-002"], "n": 2},  # one goes with it, the other is popular
        {**who, "intent": "buy_again", "n": 1},
        {"intent": "popular", "n": 10},
    ]
    rows, *others = client.post("/recommend/batch", json={"requests": requests, "distinct": True}).get_json()["results"]
    in_rows = [item_id for row in rows["rows"] for item_id in ids(row)]
    shown = [item_id for answer in others for item_id in ids(answer)]
    assert in_rows
    assert others[0]["fallback"] == "popular"
    assert len(shown) == len(set(shown))
    assert set(shown).isdisjoint({*in_rows, *ids(rows)})
    again = client.post("/recommend/batch", json={"requests": requests}).get_json()["results"]
    assert set(in_rows) & {item_id for answer in again[1:] for item_id in ids(answer)}


def test_a_batch_answers_line_by_line_and_a_bad_line_harms_no_other(client: FlaskClient) -> None:
    lines = [
        b'{"item_ids": ["DR-001"]}',
        b"{broken",
        b"",
        b'{"n": 0}',
        b'"text"',
        b'{"customer_id": "Khun/A \xe2\x98\x82"}',
    ]
    answer = client.post("/recommend/batch", data=b"\n".join(lines), content_type="application/x-ndjson")
    answers = [orjson.loads(line) for line in answer.data.splitlines()]
    assert answer.content_type == "application/x-ndjson"
    assert [part.get("line") for part in answers] == [1, 2, 4, 5, 6, None]
    assert ["error" in part for part in answers] == [False, True, True, True, False, False]
    assert ids(answers[0])[0] == ids(answers[4])[0] == "SH-014"
    assert answers[-1] == {"done": True, "count": 5}


def test_a_batch_may_be_larger_than_a_body_and_refuses_only_the_line_that_is_too_long(client: FlaskClient) -> None:
    lines = b'{"n": 1}\n' + b'{"placement": "' + b"x" * 2_500_000 + b'"}\n' + b'{"n": 1}'
    answer = client.post("/recommend/batch", data=lines, content_type="application/x-ndjson")
    answers = [orjson.loads(line) for line in answer.data.splitlines()]
    assert ["error" in part for part in answers] == [False, True, False, False]


def test_placements_give_defaults_and_an_unknown_one_is_an_error_once_some_are_set_up(tmp_path: Path) -> None:
    (tmp_path / "valet.toml").write_text('[placements.home]\nintent = "popular"\nn = 2\n')
    client = tiny_client(tmp_path, config=tmp_path / "valet.toml")
    answer = client.get("/recommend?placement=home&item_id=DR-001").json
    assert answer is not None
    assert (answer["intent"], len(answer["items"])) == ("popular", 2)
    assert client.get("/recommend?placement=hme").status_code == 422
    assert Settings().placements == {} != {"home": Placement("popular")}


WHOLE = """
[placements.home]
intent = "popular"
n = 3
fields = ["title"]
filter = { field = "brand", op = "exists", value = true }
strict = true
adult = "never"

[placements.email]
intent = "popular"
need_image = true

[[merchandising]]
name = "phones first"
placements = ["home"]
items = ["VT-001"]
pin = 1
when = 'context.device == "phone"'

[[merchandising]]
name = "no boots"
items = ["SH-014"]
hide = true
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client of the tiny shop with placements and merchandising."""
    folder = tmp_path_factory.mktemp("merchandising")
    (folder / "valet.toml").write_text(WHOLE)
    return tiny_client(folder, config=folder / "valet.toml")


def test_a_placement_and_the_shop_s_rules_make_the_list_and_debug_says_which_fired(shop: FlaskClient) -> None:
    on_phone = {"placement": "home", "context": {"device": "phone"}, "debug": True}
    answer = shop.post("/recommend", json=on_phone).json
    plain = shop.get("/recommend?placement=home&debug=true&fields=price&n=2").json
    assert answer is not None and plain is not None  # noqa: PT018
    assert [(item["item_id"], item["source"]) for item in answer["items"]] == [
        ("VT-001", "pinned"),
        ("DR-001", "popularity"),
        ("DR-002", "popularity"),
    ]
    assert answer["items"][0]["reason"] is None
    assert answer["items"][1]["item"] == {"title": "Black wrap dress"}
    assert answer["debug"]["rules"] == {"phones first": "fired", "no boots": "fired"}
    assert answer["debug"]["removed"]["hidden"] == 1
    assert plain["debug"]["rules"] == {"phones first": "condition false", "no boots": "fired"}
    assert plain["items"][0]["item"] == {"price": 1990.0}
    assert len(plain["items"]) == 2
    assert AnswerSchema().validate(answer) == {}
    elsewhere = shop.get("/recommend?placement=email&debug=true").json
    assert elsewhere is not None
    assert elsewhere["debug"]["rules"] == {"no boots": "fired"}
    assert elsewhere["items"] == []  # nothing in this shop has an image


def test_a_rule_holds_for_every_line_of_a_batch_and_for_the_items_of_an_action(shop: FlaskClient) -> None:
    lines = b'{"item_ids": ["DR-001"]}\n{"intent": "popular", "placement": "home"}'
    answer = shop.post("/recommend/batch", data=lines, content_type="application/x-ndjson")
    shown = [item["item_id"] for line in answer.data.splitlines()[:2] for item in orjson.loads(line)["items"]]
    assert shown
    assert "SH-014" not in shown
    asked = {"customer_id": "c", "channel": "website", "n": 20, "context": {}}
    actions = shop.post("/next-best-action", json=asked).json
    assert actions is not None
    attached = [item["item_id"] for action in actions["actions"] for item in action["items"]]
    assert attached
    assert "SH-014" not in attached


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"placement": "hme"}, {"placement"}),
        ({"context": {"device": 3}}, {"context"}),
        ({"promotions": [{"name": "x", "percent": 101, "filter": {"all": []}}]}, {"promotions"}),
        ({"promotions": [{"name": "x", "percent": "NaN", "filter": {"all": []}}]}, {"promotions"}),
        ({"promotions": [{"name": n, "percent": 60, "filter": {"all": []}} for n in "xy"]}, {"promotions"}),
        ({"diversity": "inf"}, {"diversity"}),
    ],
)
def test_what_a_list_cannot_be_is_refused_by_the_name_of_its_field(
    shop: FlaskClient, body: dict[str, object], fields: set[str]
) -> None:
    answer = shop.post("/recommend", json=body)
    assert answer.status_code == 422
    assert answer.json is not None
    assert set(answer.json["errors"]) == fields


def test_conditions_are_bounded_over_all_filters_of_a_request(client: FlaskClient) -> None:
    def asked(in_filter: int, in_boosts: int, in_promotions: int) -> Any:
        def some(n: int) -> dict[str, object]:
            return {"any": [{"field": "colour", "value": "red"}] * n}

        body = {
            "filter": {"not": some(in_filter)},
            "boost": [{"filter": some(in_boosts // 2), "weight": 2}] * 2,
            "promotions": [{"name": "p", "percent": 5, "filter": some(in_promotions // 4)}] * 4,
        }
        return client.post("/recommend", json=body)

    assert asked(40, 40, 20).status_code == 200
    for most, field in (((61, 40, 0), "boost"), ((40, 40, 24), "promotions")):
        answer = asked(*most)
        assert answer.status_code == 422
        said = answer.json["errors"]
        assert set(said) == {field}
        assert said[field][0].startswith(f"{sum(most)} conditions in all filters of a request; at most 100.")


def test_what_is_promoted_gets_its_share(client: FlaskClient) -> None:
    bag = {"name": "bags", "percent": 25, "filter": {"field": "product_type", "value": "bag"}}
    answer = client.post("/recommend", json={"intent": "popular", "n": 4, "promotions": [bag]}).json
    assert answer is not None
    assert ids(answer)[3] == STRANGE
    assert ids(answer)[:3] == ids(client.get("/recommend?intent=popular&n=3").json)


def test_without_a_bundle_the_list_is_empty_and_degraded(tmp_path: Path) -> None:
    client = tiny_client(tmp_path, models_dir=tmp_path / "nothing")
    answer = client.get("/recommend?item_id=DR-001").json
    assert answer is not None
    assert (answer["items"], answer["degraded"], answer["model_version"]) == ([], True, None)
    assert client.post("/rank", json={"item_ids": ["DR-001"]}).json["degraded"] is True  # type: ignore[index]
    assert client.get("/recommend?intent=because_you").json["rows"] == []  # type: ignore[index]
    assert client.get("/readyz").status_code == 503


def test_without_the_store_the_models_answer_and_say_so(tmp_path: Path) -> None:
    client = tiny_client(tmp_path, store="redis://127.0.0.1:1/0")
    of_somebody = client.get("/recommend?item_id=DR-001&customer_id=x").json
    of_nobody = client.get("/recommend?item_id=DR-001").json
    assert of_somebody is not None and of_nobody is not None  # noqa: PT018
    assert (ids(of_somebody)[0], of_somebody["degraded"]) == ("SH-014", True)
    assert of_nobody["degraded"] is False
    lines = client.post("/recommend/batch", data=b'{"customer_id": "x"}', content_type="application/x-ndjson").data
    assert orjson.loads(lines.splitlines()[0])["degraded"] is True


def test_a_refusal_of_profiling_is_kept_in_the_very_next_list(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    client.post("/events", json={"event": "view_item", "customer_id": "c", "item_id": "DR-002"})
    before = client.get("/recommend?customer_id=c").json
    refusal = {
        "purpose": "profiling",
        "channel": "all",
        "status": "denied",
        "at": "2025-12-31T00:00:00Z",
        "source": "web",
    }
    assert client.put("/customers/c/consents", json={"consents": [refusal]}).status_code == 200
    after = client.get("/recommend?customer_id=c").json
    assert before is not None and after is not None  # noqa: PT018
    assert ids(before)[0] == "SH-015"
    assert (ids(after)[0], after["fallback"]) == ("DR-001", "popular")


def test_an_event_posted_now_changes_the_next_answer_of_customer_and_session(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    for who in ("customer_id", "session_id"):
        before = client.get(f"/recommend?{who}=c").json
        assert client.post("/events", json={"event": "view_item", who: "c", "item_id": "DR-002"}).status_code == 200
        after = client.get(f"/recommend?{who}=c").json
        assert before is not None and after is not None  # noqa: PT018
        assert ids(before)[0] == "DR-001"
        assert ids(after)[0] == "SH-015"


@pytest.mark.parametrize(("name", "days"), [("view_item_list", ("29", "30", "31")), ("email_sent", ("28",))])
def test_a_list_reported_as_shown_and_not_answered_makes_room(tmp_path: Path, name: str, days: tuple[str, ...]) -> None:
    client = tiny_client(tmp_path)
    client.post("/events", json={"event": "view_item", "customer_id": "c", "item_id": "DR-001"})
    asked = "/recommend?customer_id=c&n=2"
    before = client.get(asked).get_json()
    about = {
        "event": name,
        "customer_id": "c",
        "recommendation_id": before["recommendation_id"],
        "items": before["items"],
    }
    for day in days:
        assert client.post("/events", json={**about, "time": f"2025-12-{day}T09:00:00Z"}).status_code == 200
    after = client.get(asked).get_json()
    assert set(ids(after)).isdisjoint(ids(before))
    assert ids(client.get(asked).get_json()) == ids(after)
    client.post("/events", json={"event": "view_item", "customer_id": "c", "item_id": ids(before)[0]})
    assert ids(before)[0] in ids(client.get(asked).get_json())


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
named = st.dictionaries(
    st.sampled_from(
        [
            "item_ids",
            "customer_id",
            "n",
            "intent",
            "filter",
            "boost",
            "same",
            "context",
            "fields",
            "promotions",
            "placement",
        ]
    ),
    documents | st.sampled_from([*INTENTS, ["DR-001"], {"field": "price", "op": "lt", "value": 3}]),
    max_size=5,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(named)
def test_nothing_that_can_be_sent_breaks_it_and_every_answer_fits_the_schema(
    client: FlaskClient, body: dict[str, object]
) -> None:
    answer = client.post("/recommend", json=body)
    assert answer.status_code in (200, 400, 422)
    if answer.status_code == 200:
        assert answer.json is not None
        assert AnswerSchema().validate(answer.json) == {}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["item_id", "customer_id", "session_id", "placement", "exclude", "brand"]), st.text(max_size=20)
    )
)
def test_ids_are_any_characters(client: FlaskClient, query: dict[str, str]) -> None:
    answer = client.get("/recommend", query_string=query)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["missing_ids"] == ([query["item_id"]] if query.get("item_id") else [])
