"""Names and bytes in Redis: every key, and how a customer and an event are written. All of it lives in one database of one server.

customer:<id>    what is kept of one customer, one string: stamp, sequence, three lengths, then profile, facts, ledger; under another name of
                 hers a first length of MOVED, and her id
names:<id>       her other names, a set
history:<id>     her events, a list: the sequence of each, and the digests of its keys
finds:<id>       the digests by which she is found, a set
found:<digest>   the ids of those who are found by it, a set
papers:<id>      the names of her documents by their expiry, a sorted set
event:<digest>   an event's key was seen; expires
log:<n>          1,000 events by their sequence, a hash. Not a stream: XDEL leaves the bytes in memory, dumps and rewritten logs until
                 the whole block is gone (measured, Redis 7.0), so that an erased customer would stay; HDEL frees them
sequence         the number of the newest event
pool:<name>      how a pool of tokens stands, a hash; held:<name> what of it comes back by itself, "tokens:holder" by its time, a sorted set
document:<kind>:<key>      versions (hash)      items (hash)      items:changed (item by version, sorted set)
counters         what is counted, a hash: name -> two sums      counters:changed (name by version, sorted set)
"""

from __future__ import annotations

import hashlib
import re
import struct
from typing import Literal

import orjson

from models.errors import InputError
from service.store import BLOCK, Customer, Entry

Kind = Literal["customer", "history", "papers", "names", "finds", "found"]
OF_HER: tuple[Kind, ...] = ("customer", "history", "papers", "names", "finds")  # whose name is her id

SEQUENCE = b"sequence"
VERSIONS = b"versions"
ITEM_DOCUMENTS = b"items"
ITEMS_CHANGED = b"items:changed"
COUNTED = b"counters"
COUNTED_LAST = b"counters:changed"
BUCKET = BLOCK  # events in a log:<n>
DIGEST = 16  # bytes
MOVED = -2
NEW = b""  # the stamp of a customer of whom nothing is kept

_HEAD = struct.Struct("<8sQiii")  # stamp (changes with every write), sequence, lengths of the parts (-1: None)
_LENGTHS = struct.Struct("<iii")
_LENGTHS_AT = _HEAD.size - _LENGTHS.size
_MOVED = struct.pack("<i", MOVED)
_SEQUENCE = struct.Struct("<Q")
_EVENT = struct.Struct("<qI")  # at, length of [customer_id, key, …, received] as JSON; that JSON and the body follow


def utf8(text: str) -> bytes:
    """A text as the server keeps it; raises InputError for half a surrogate pair, which JSON can carry and Unicode cannot."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InputError("a text cannot be stored (it is no valid Unicode): send UTF-8") from None


def key(kind: Kind, name: str) -> bytes:
    """The key of a kind for a customer's id, or for a digest by which she is found."""
    return utf8(f"{kind}:{name}")


def digest(key: str) -> bytes:
    """What stands for an event's key: short, and no id in the clear."""
    return hashlib.blake2b(utf8(key), digest_size=DIGEST).digest()


def event_key(digest: bytes) -> bytes:
    return b"event:" + digest


def log_key(bucket: int) -> bytes:
    return b"log:%d" % bucket


def document_key(kind: str, key: str) -> bytes:
    return utf8(f"document:{kind}:{key}")


def load_document_key(name: bytes) -> tuple[str, str]:
    """The kind and the key of a document."""
    _, kind, key = name.decode().split(":", 2)
    return kind, key


def load_name(prefix: bytes, key: bytes) -> str:
    """What follows the prefix of a key."""
    return key[len(prefix) :].decode()


def literally(text: bytes) -> bytes:
    """A pattern that matches this text alone."""
    return re.sub(rb"([*?\[\]\\^])", rb"\\\1", text)


def dump_parts(customer: Customer) -> bytes:
    """The customer without stamp and sequence: those are the server's to write."""
    parts = (customer.profile, customer.facts, customer.ledger)
    lengths = [-1 if part is None else len(part) for part in parts]
    return b"".join((_LENGTHS.pack(*lengths), *filter(None, parts)))


def load_customer(customer_id: str, document: bytes | None) -> tuple[bytes, Customer]:
    """The stamp and the customer; NEW and nothing where nothing is kept."""
    if document is None:
        return NEW, Customer(customer_id)
    stamp, sequence, *lengths = _HEAD.unpack_from(document)
    start = _HEAD.size
    parts: list[bytes | None] = []
    for length in lengths:
        parts.append(None if length < 0 else document[start : start + length])
        start += max(length, 0)
    profile, facts, ledger = parts
    return stamp, Customer(customer_id, profile, facts, ledger, sequence)


def moved_to(document: bytes | None) -> str | None:
    """The id under which a customer is kept, where the document is that of another name of hers."""
    if document is None or not document.startswith(_MOVED, _LENGTHS_AT):
        return None
    return document[_HEAD.size :].decode()


def dump_entry(entry: Entry) -> bytes:
    try:
        names = orjson.dumps((entry.customer_id, *entry.keys, entry.received or entry.at))
        return _EVENT.pack(entry.at, len(names)) + names + entry.body
    except (struct.error, TypeError):
        raise InputError(f"the time {entry.at} cannot be stored: send seconds since 1970 of at most 64 bits") from None


def load_entry(sequence: int, document: bytes) -> Entry:
    at, length = _EVENT.unpack_from(document)
    body = _EVENT.size + length
    customer_id, *keys = orjson.loads(document[_EVENT.size : body])
    received = keys.pop() if keys and isinstance(keys[-1], int) else at  # older ones do not say
    return Entry(customer_id, tuple(keys), at, document[body:], sequence, received)


def dump_history(entry: Entry) -> bytes:
    """The event as it stands in its customer's history."""
    return _SEQUENCE.pack(entry.sequence) + b"".join(map(digest, entry.keys))


def load_sequence(event: bytes) -> int:
    """The sequence of an event in a history."""
    sequence: int = _SEQUENCE.unpack_from(event)[0]
    return sequence
