"""Words that stand for yes and no: plain ones, and how Google Merchant and schema.org write availability."""

from __future__ import annotations

_YES = """
    true 1 yes y t available instock instoreonly onlineonly limitedavailability preorder presale backorder madetoorder reserved
"""
_NO = "false 0 no n f unavailable outofstock soldout discontinued notavailable"
YES, NO = frozenset(_YES.split()), frozenset(_NO.split())


def yes(word: str) -> bool | None:
    """Whether a word says yes; None where it says neither. Case, spaces, `_`, `-` and the address of schema.org count nothing."""
    bare = word.strip().lower().rpartition("/")[2].replace("_", "").replace("-", "").replace(" ", "")
    return True if bare in YES else False if bare in NO else None
