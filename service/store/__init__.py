"""The store's contract: what is true of customers, and what the shop changed since training.

Two stores keep it, `sqlite` and `redis`; one set of tests holds both to it. Documents are opaque bytes here: what they mean is the
use cases' business. Every method has a deadline and raises StoreUnavailable when the store is away or slower than that; a write that
ends so may have been made or not (the answer may be what was lost), so a caller that sends it again names it by a key. A text that is
no Unicode is an InputError. A store may be used by many threads, and in the children of a fork.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from models.budgets import Level, Pool
from models.errors import StoreUnavailable

Status = Literal["accepted", "repeated"]
Part = Literal["profile", "facts", "ledger"]

KEY_TTL_S = 40 * 86_400  # how long a repeat is known at least: the oldest event that is accepted (30 days), and some

POOL_KEPT_S = 100 * 86_400  # how long the pool of a period that is over can still be given tokens back

BLOCK = 1_000  # sequences in a block of the log: n holds those above n · BLOCK, up to (n + 1) · BLOCK

TOMBSTONE = "tombstone"  # the kind of document that says: somebody was erased
NOTHING: Mapping[str, bytes] = {}

ITEMS = "items"  # the version number of the items' overlay
COUNTERS = "counters"  # and of the counters


class Customer(NamedTuple):
    """All that is kept of one customer, read in one round trip.

    profile   the fold over what happened (models.profile), or None where nothing has
    facts     what she or the shop said: attributes, consents, aliases; never derived, never overwritten by training
    ledger    contacts and decisions, newest last
    sequence  every logged event of hers up to this number is in the profile, none above it is; 0 for none
    """

    customer_id: str
    profile: bytes | None = None
    facts: bytes | None = None
    ledger: bytes | None = None
    sequence: int = 0


class Found(NamedTuple):
    """A customer as she was read (None: nothing is known of her), and how the pools stood that were asked for.

    stamp  by which a store may tell whether she was changed since
    """

    customer: Customer | None
    levels: Mapping[str, Level]
    stamp: bytes = b""


class Entry(NamedTuple):
    """One event of the log. `keys` make it idempotent: an entry with a key that was seen is a repeat.

    at        seconds since 1970 UTC, when it happened (not when it arrived)
    body      the event as JSON
    received  when it arrived; 0: when it happened
    folded    whether the profile may know of it; not kept
    """

    customer_id: str
    keys: tuple[str, ...]
    at: int
    body: bytes
    sequence: int = 0  # given by the store
    received: int = 0
    folded: bool = True


@dataclass(frozen=True)
class Move:
    """Tokens of a pool on their way: drawn for a holder, kept for good, or given back.

    take  `tokens` for a `bid` (see models.budgets.admits); those that have an `until` come back by themselves then, unless they are kept
    keep  they do not come back by themselves; where they did, they are drawn again, whatever is left
    back  they come back; `held`: only where they have not come back by themselves yet, and were not kept
    """

    kind: Literal["take", "keep", "back"]
    pool: Pool
    holder: str
    tokens: int
    bid: float = 0.0
    until: int | None = None
    held: bool = False


class Paper(NamedTuple):
    """A document of a customer's, as `put` takes it."""

    kind: str
    key: str
    document: bytes
    expires_s: int | None = None


class Settlement(NamedTuple):
    """A ledger as it should stand (None: as it does), and what goes with it; all or nothing.

    moves   of tokens    counts  what is added to counters, pairs of sums by name
    papers  documents of hers that are put; where one of their places is taken, nothing is written (PaperTakenError)
    """

    ledger: bytes | None
    moves: tuple[Move, ...] = ()
    counts: Mapping[str, tuple[float, float]] = {}
    papers: tuple[Paper, ...] = ()


class PaperTakenError(Exception):
    """Another document stands where a settlement would have put one."""


Settle = Callable[[bytes | None], Settlement | None]  # (ledger) -> what should stand; None: as it is


class Settling(NamedTuple):
    """Whose ledger is to be settled, and how. `found`: as she was read a moment ago; she is read again only where she was changed since."""

    customer_id: str
    settle: Settle
    found: Found | None = None


Settled = list[str] | PaperTakenError | StoreUnavailable  # the names of the pools that refused, none where it is done


def refused(came: Settled) -> list[str]:
    """The names of the pools that refused. Raises what else came of it."""
    if isinstance(came, Exception):
        raise came
    return came


Fold = Callable[[str, bytes | None, Sequence[Entry]], bytes]  # (customer_id, profile, new entries) -> profile
Sift = Callable[[bytes, Entry], Entry]  # (facts of whom it is about, an entry) -> the entry as it may be kept
Join = Callable[[Customer, Customer], Customer]  # (the known one, the other) -> what stands of the known one


class Store(Protocol):
    """See the module. All times are seconds since 1970 UTC; all documents are bytes.

    capped  whether the log lies in memory, so that training drains it and little of it stays
    """

    capped: bool

    def customer(self, customer_id: str) -> Customer | None:
        """One customer in one round trip; None when nothing is known."""

    def customers_with(self, customer_ids: Sequence[str], pools: Sequence[str], *, now: int) -> list[Found]:
        """`customers` and `levels` in one round trip."""

    def customers(self, customer_ids: Sequence[str]) -> list[Customer | None]:
        """Several customers, in the order asked, in one round trip; None where nothing is known. At most some hundreds a call."""

    def record(self, entries: Sequence[Entry], fold: Fold, sift: Sift | None = None) -> list[Status]:
        """Log new events and fold them into their customers' profiles, atomically per customer and durable when it returns.

        The answer has one status an entry, the same as if the entries had come one by one. A repeat (any of its keys is known, in the
        log or accepted earlier in this call) is neither logged nor folded, and its other keys are not learnt. Concurrent callers lose
        nothing: `fold` may be called again with a newer profile; it does not see sequences. `sift` sees the facts as they stand at that
        moment, of who has any; an entry that it makes somebody else's is new there. After StoreUnavailable the events of some customers
        may stand: send all again.
        """

    def change(self, customer_id: str, part: Part, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        """Replace one part by `change(part)`, atomically (compare and set; `change` may be called again); returns what stands.

        None from `change` leaves the part as it is.
        """

    def settle(self, customer_id: str, settle: Settle, *, now: int) -> list[str]:
        """As `change` of a ledger, with all of the settlement in the same transaction: no pool ever hands out more than its cap.

        Returns the names of the pools that refused; then nothing is written. All that a call counts stands with the next version of COUNTERS.
        Raises PaperTakenError.
        """

    def settle_all(self, several: Sequence[Settling], *, now: int) -> list[Settled]:
        """What `settle` does for each, one after the other and written as one; what is refused leaves the others as they are.

        Raises StoreUnavailable as any write does; it came of one of them alone where others are written.
        """

    def levels(self, pools: Sequence[str], *, now: int) -> dict[str, Level]:
        """How pools stand, without what has come back by now; models.budgets.FULL where nothing was drawn."""

    def counters(self, *, after_version: int = 0) -> tuple[int, dict[str, tuple[float, float]]]:
        """What counters were added to since a version: (the version to ask from next time, the sums by name)."""

    def merge(self, anonymous: str, known: str, join: Join) -> bool:
        """Make `anonymous` another name of the customer `known`, atomically; False where it is one already, and nothing is done.

        Her parts become those of `join(known, anonymous)`; the events and documents of `anonymous` become hers, the events with new
        sequences, as if they came now. From then on every method takes either name for her, but `erase`: it forgets what is kept under the
        name that is given, and with a customer all her other names. A name that was another customer's becomes hers, its past stays.
        """

    def publish(self, profiles: Iterable[tuple[str, bytes]], *, sequence: int, fold: Fold) -> int:
        """Set profiles that training computed from all events up to `sequence`; later events are folded in again. Returns the count.

        Facts and ledgers are not touched, profiles of other names are left out. Memory is bounded by a chunk, whatever the number of
        profiles. Raises InputError where the log has not come to `sequence`: then it is not the log that training read.
        """

    def events(self, *, after: int = 0, customer_id: str | None = None) -> Iterator[Entry]:
        """Logged events with a sequence above `after`, in the order of their sequence; of one customer if asked. Read by the page."""

    def blocks(self) -> dict[int, int]:
        """How many events each block of the log holds; none is named that holds none. Once later events are logged it only loses some."""

    def drop(self, entries: Sequence[Entry]) -> int:
        """Take logged events out of the log; how many were there. Profiles keep what they told.

        On Redis their keys stay known until they expire, on SQLite they go with them: drop none that may be sent again.
        """

    def newest(self) -> int:
        """The sequence of the newest event in the log; 0 for none."""

    def customer_ids(self) -> list[str]:
        """Everybody of whom something is kept, sessions too, sorted. For jobs that go through all customers, not for requests."""

    def names(self) -> dict[str, str]:
        """Every other name of a customer, and the id under which she is kept. For jobs."""

    def names_of(self, customer_id: str) -> list[str]:
        """The other names of a customer, sorted; none where the name is not the one she is kept under."""

    def put(
        self, kind: str, key: str, document: bytes, *, expires_s: int | None = None, customer_id: str | None = None
    ) -> bool:
        """Keep a document (a decision, an outcome) under (kind, key) unless one stands there; True when it was new.

        A document that names its customer goes when she is erased.
        """

    def get(self, kind: str, key: str) -> bytes | None:
        """The document under (kind, key)."""

    def get_many(self, kind: str, keys: Sequence[str]) -> list[bytes | None]:
        """The documents under some keys of a kind, in the order asked, in one round trip."""

    def papers(self, customer_id: str) -> list[tuple[str, str, bytes]]:
        """(kind, key, document) of all documents that name this customer, sorted by kind and key."""

    def keys(self, kind: str) -> list[str]:
        """The keys of the documents of a kind, in no order. For reports, not for requests."""

    def documents(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """(key, document) of every document of a kind; what comes while reading may be missed. For reports, not for requests."""

    def findable(self, customer_id: str, digests: Iterable[str], *, no_longer: Iterable[str] = ()) -> None:
        """Let a customer be found by some digests (of what is her business), and no longer by others."""

    def find(self, digest: str) -> list[str]:
        """The customers who are found by a digest, sorted, by the ids under which they are kept."""

    def erase(self, customer_id: str, *, leaving: Mapping[str, bytes] = NOTHING) -> int:
        """Remove the customer, her events with their keys, and her documents; the number of records removed (keys not counted).

        `leaving`: documents of the kind TOMBSTONE by key, set in the same breath. Her bytes may be left in files until `scrub`.
        """

    def scrub(self) -> None:
        """Take the bytes of what was erased out of the store's files: its write-ahead log, or what Redis writes.

        StoreUnavailable where that could not be done yet, because others read, or the server is at it still: ask again.
        """

    def versions(self) -> Mapping[str, int]:
        """The version number of everything that the shop changes; what was never changed is not named. Workers poll it."""

    def bump(self, name: str) -> int:
        """Count one version number up by one; the new one."""

    def upsert_items(self, documents: Mapping[str, bytes]) -> int:
        """Set documents of items, all with the next version of ITEMS, which is returned."""

    def change_item(self, item_id: str, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        """Replace an item's document by `change(document)`, as `change` does a customer's part, with the next version of ITEMS."""

    def item(self, item_id: str) -> bytes | None:
        """The document of one item."""

    def items(self, *, after_version: int = 0) -> tuple[int, dict[str, bytes]]:
        """What changed in the items' overlay since a version: (the version to ask from next time, the documents by item).

        What changed first comes first; changes of one version by id.
        """

    def ping(self) -> None:
        """Return when the store answers, else raise StoreUnavailable."""

    def close(self) -> None:
        """Give connections back."""
