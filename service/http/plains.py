"""What marshmallow would load as it stands: values that a field takes as they are. Whatever else there is, it says itself what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import Schema, ValidationError, fields

from service.http.schemas import Scalar, Whole

TAKEN: dict[type, tuple[type, ...]] = {
    fields.String: (str,),
    fields.Boolean: (bool,),
    Whole: (int,),
    Scalar: (str, int, float, bool),
}  # types that a field gives back unchanged

Plain = Callable[[Any], bool]


def of(field: fields.Field[Any]) -> Plain:
    """Tells of a value whether the field would give it back unchanged."""
    if field.data_key or field.attribute or field.dump_only or field.pre_load or field.post_load:
        return lambda _: False
    taken, valid = TAKEN.get(type(field), ()), _valid(field)
    if type(field) is not fields.Dict:
        return lambda value: type(value) in taken and valid(value)
    key, value = of(field.key_field or fields.Field()), of(field.value_field or fields.Field())
    return lambda given: type(given) is dict and all(key(k) and value(v) for k, v in given.items()) and valid(given)


def hooked(schema: Schema) -> bool:
    """Whether a schema does more than its fields."""
    return any(type(schema)._hooks.values())


def _valid(field: fields.Field[Any]) -> Plain:
    def valid(value: Any) -> bool:
        try:
            for validate in field.validators:
                validate(value)
        except ValidationError:
            return False
        return True

    return valid if field.validators else lambda _: True
