"""Profiles, as events are logged and folded into them, and as training computed them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from models.errors import InputError
from service.store import Entry, Fold, Status
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


def record(server: RedisServer, entries: Sequence[Entry], fold: Fold, *, key_ttl_s: int) -> list[Status]:
    """See service.store.Store.record."""
    statuses: dict[int, Status] = {}
    pending = list(range(len(entries)))
    for _ in attempts():
        statuses |= _record(server, [(index, entries[index]) for index in pending], fold, key_ttl_s)
        pending = [index for index in pending if index not in statuses]
        if not pending:
            break
    return [statuses[index] for index in range(len(entries))]


def _record(server: RedisServer, pending: list[tuple[int, Entry]], fold: Fold, key_ttl_s: int) -> dict[int, Status]:
    """What could be decided in one reading and one writing. Left over: who was changed meanwhile, and repeats within the call."""
    digests = {index: [keys.digest(key) for key in entry.keys] for index, entry in pending}
    read, known = customers.read(
        server, {entry.customer_id for _, entry in pending}, set(itertools.chain(*digests.values()))
    )
    statuses: dict[int, Status] = {}
    accepted: dict[str, list[tuple[int, Entry]]] = {}
    taken: set[bytes] = set()
    for index, entry in pending:
        if not known.isdisjoint(digests[index]):
            statuses[index] = "repeated"
        elif taken.isdisjoint(digests[index]):
            taken.update(digests[index])
            owner = read[entry.customer_id][1].customer_id
            accepted.setdefault(owner, []).append((index, replace(entry, customer_id=owner)))
    owners = {customer.customer_id: (stamp, customer) for stamp, customer in read.values()}
    calls = []
    for customer_id, new in accepted.items():
        stamp, customer = owners[customer_id]
        newer = replace(customer, profile=fold(customer_id, customer.profile, [entry for _, entry in new]))
        logged = [(b"".join(digests[index]), keys.dump_entry(entry)) for index, entry in new]
        calls.append(customers.committing(stamp, newer, logged, key_ttl_s=key_ttl_s))
    for new, done in zip(accepted.values(), server.run(customers.COMMIT, calls), strict=True):
        if done:
            statuses |= {index: "accepted" for index, _ in new}
    return statuses


def publish(server: RedisServer, profiles: Iterable[tuple[str, bytes]], *, sequence: int, fold: Fold) -> int:
    """See service.store.Store.publish."""
    rows, count = iter(profiles), 0
    while chunk := list(itertools.islice(rows, CHUNK)):
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
        newer = replace(
            customer,
            profile=fold(customer_id, profile, since) if since else profile,
            sequence=since[-1].sequence if since else sequence,
        )
        if server.run(customers.COMMIT, [customers.committing(stamp, newer)])[0]:
            break


def _publication(batch: list[tuple[str, bytes]], sequence: int) -> tuple[Sequence[bytes], Sequence[Any]]:
    """Keys and arguments of PUBLISH."""
    names = (keys.SEQUENCE, *(keys.customer_key(customer_id) for customer_id, _ in batch))
    return names, (sequence, os.urandom(8), *(profile for _, profile in batch))
