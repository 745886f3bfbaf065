"""Profiles, as events are logged and folded into them, and as training computed them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from models.errors import InputError
from service.store import Customer, Entry, Fold, Sift, Status
from service.store.redis import customers, events, keys
from service.store.redis.keys import MOVED
from service.store.redis.server import RedisServer, Script, attempts

BATCH = 100  # profiles a script: about a millisecond of the server
CHUNK = 1000  # profiles a round trip

# Set the profiles of customers who had no event after training read the log, but not of other names. The places in the list of those
# who had; -1 where the log has not come so far.
# KEYS sequence, customers…    ARGV the sequence that training read up to, new stamp, profiles…
PUBLISH = Script(f"""
local read = tonumber(ARGV[1])
if tonumber(redis.call('GET', KEYS[1]) or 0) < read then return -1 end
local late = {{}}
for i = 2, #KEYS do
  local profile, facts, ledger, rest = ARGV[i + 1], -1, -1, ''
  local document = redis.call('GET', KEYS[i])
  local sequence, moved = 0, false
  if document then
    local length
    sequence, length, facts, ledger = struct.unpack('<I8i4i4i4', document, 9)
    moved = length == {MOVED}
    rest = string.sub(document, 29 + math.max(length, 0))
  end
  if sequence > read then
    late[#late + 1] = i - 2
  elseif not moved then
    redis.call('SET', KEYS[i], ARGV[2] .. struct.pack('<I8i4i4i4', read, #profile, facts, ledger) .. profile .. rest)
  end
end
return late
""")


def record(
    server: RedisServer, key_ttl_s: int, entries: Sequence[Entry], fold: Fold, sift: Sift | None
) -> list[Status]:
    """See service.store.Store.record."""
    statuses: dict[int, Status] = {}
    digests = [[keys.digest(key) for key in entry.keys] for entry in entries]
    pending = dict(enumerate(entries))
    for _ in attempts():
        statuses |= _record(server, pending, digests, fold, sift, key_ttl_s)
        pending = {index: entry for index, entry in pending.items() if index not in statuses}
        if not pending:
            break
    return [statuses[index] for index in range(len(entries))]


def _record(
    server: RedisServer,
    pending: Mapping[int, Entry],
    digests: Sequence[Sequence[bytes]],
    fold: Fold,
    sift: Sift | None,
    key_ttl_s: int,
) -> dict[int, Status]:
    """What could be decided in one reading and one writing. Left over: who was changed meanwhile, and repeats within the call."""
    asked = chain.from_iterable(digests[index] for index in pending)
    named, known = customers.read(server, {entry.customer_id for entry in pending.values()}, asked)
    statuses: dict[int, Status] = {index: "repeated" for index in pending if not known.isdisjoint(digests[index])}
    hers: dict[str, dict[int, Entry]] = {}
    taken: set[bytes] = set()
    for index, entry in pending.items():
        if index not in statuses and taken.isdisjoint(digests[index]):
            taken.update(digests[index])
            kept = _kept(entry, named[entry.customer_id][1], sift)
            hers.setdefault(kept.customer_id, {})[index] = kept
    found = {customer.customer_id: (stamp, customer) for stamp, customer in named.values()}
    found |= customers.read(server, hers.keys() - found.keys())[0]
    logged = {name: [_logged(one, digests[index]) for index, one in new.items()] for name, new in hers.items()}
    writes = (_write(*found[name], new.values(), logged[name], fold) for name, new in hers.items())
    for done, new in zip(customers.commit(server, writes, key_ttl_s=key_ttl_s), hers.values(), strict=True):
        if done:
            statuses.update(dict.fromkeys(new, "accepted"))
    return statuses


def _kept(entry: Entry, customer: Customer, sift: Sift | None) -> Entry:
    """The entry as one of the customer whom it names, and as it may be kept of her."""
    if entry.customer_id != customer.customer_id:
        entry = entry._replace(customer_id=customer.customer_id)
    return entry if sift is None or customer.facts is None else sift(customer.facts, entry)


def _logged(entry: Entry, digests: Sequence[bytes]) -> tuple[bytes, bytes]:
    """An entry as it is written; what cannot be raises InputError."""
    return b"".join(digests), keys.dump_entry(entry)


def _write(
    stamp: bytes, customer: Customer, new: Iterable[Entry], logged: Sequence[tuple[bytes, bytes]], fold: Fold
) -> customers.Write:
    """The customer after some entries, and those."""
    before = customer.profile
    profile = fold(customer.customer_id, before, [entry for entry in new if entry.folded])
    if before and profile.startswith(before):
        return customers.Write(stamp, customer, logged, profile[len(before) :])
    return customers.Write(stamp, customer._replace(profile=profile), logged)


def publish(server: RedisServer, profiles: Iterable[tuple[str, bytes]], *, sequence: int, fold: Fold) -> int:
    """See service.store.Store.publish."""
    rows, count = iter(profiles), 0
    while chunk := list(islice(rows, CHUNK)):
        batches = [chunk[start : start + BATCH] for start in range(0, len(chunk), BATCH)]
        answers = server.run(PUBLISH, [_publication(batch, sequence) for batch in batches], bulk=True)
        for batch, late in zip(batches, answers, strict=True):
            if late == -1:
                raise InputError(
                    f"the event log has not come to {sequence}: it was emptied or exchanged since training read it. Train again."
                )
            for index in late:
                _refold(server, batch[index], sequence, fold)
        count += len(chunk)
    return count


def _refold(server: RedisServer, row: tuple[str, bytes], sequence: int, fold: Fold) -> None:
    """Set a profile together with the events that came after `sequence`."""
    customer_id, profile = row
    for _ in attempts():
        stamp, customer = customers.one(server, customer_id)
        since = list(events.of(server, customer.customer_id, sequence))
        newer = customer._replace(
            profile=fold(customer_id, profile, since) if since else profile,
            sequence=since[-1].sequence if since else sequence,
        )
        if all(customers.commit(server, [customers.Write(stamp, newer)])):
            break


def _publication(batch: list[tuple[str, bytes]], sequence: int) -> tuple[Sequence[bytes], Sequence[Any]]:
    """Keys and arguments of PUBLISH."""
    names = (keys.SEQUENCE, *(keys.key("customer", customer_id) for customer_id, _ in batch))
    return names, (sequence, os.urandom(8), *(profile for _, profile in batch))
