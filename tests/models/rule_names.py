"""Names that rules may ask for in tests, and a rule of them."""

from models.rules import Names, Rule
from models.toml import Place

NAMES: Names = {
    "customer.tier": ("", "silver", "gold"),
    "customer.orders": "number",
    "customer.known": "flag",
    "cart.total": "number",
    "context.device": "text",
    "placement": "text",
}
PLACE = Place("valet.toml", "[[merchandising]]\nwhen = 1", ("merchandising", "0", "when"))


def parse(source: str) -> Rule:
    """The rule, as merchandising reads it."""
    return Rule.parse(source, NAMES, PLACE)
