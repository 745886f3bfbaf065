"""What is copied without marshmallow is what marshmallow would have loaded."""

from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from service.http import plains
from service.http.bodies import loading
from service.http.decide import DecideBody
from service.http.schemas import RecommendBody

SCALARS = st.one_of(st.text(max_size=5), st.integers(-5, 50), st.booleans(), st.floats(), st.none())
VALUES = st.one_of(SCALARS, st.dictionaries(st.text(max_size=3), SCALARS, max_size=2), st.lists(SCALARS, max_size=2))
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "customer_id": st.one_of(st.just("ann"), VALUES),
        "channel": st.one_of(st.just("email"), VALUES),
        **dict.fromkeys(("placement", "n", "decision_id", "seed", "context", "unknown"), VALUES),
        "explain": st.one_of(st.sampled_from(["none", "full"]), VALUES),
        "dry_run": VALUES,
    },
)
LOADING = loading(DecideBody)


def came(load, document) -> object:
    """What was loaded, or what is wrong."""
    try:
        return repr(sorted(load(document).items()))
    except ValidationError as error:
        return error.messages


@given(DOCUMENTS)
def test_a_document_is_loaded_and_refused_as_marshmallow_does(document):
    assert came(LOADING, document) == came(DecideBody().load, document)


def test_a_schema_that_checks_more_than_its_fields_is_marshmallows():
    assert plains.hooked(RecommendBody())
    assert not plains.hooked(DecideBody())
