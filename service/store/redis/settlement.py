"""A ledger with what goes with it (see service.store.Settlement)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Any

from models.errors import StoreUnavailable
from service.store import COUNTERS, POOL_KEPT_S, Customer, PaperTakenError, Settled, Settlement, Settling
from service.store.redis import customers, keys
from service.store.redis.papers import PAPER
from service.store.redis.pools import POOL, moving
from service.store.redis.server import RedisServer, Script, attempts

TAKEN = -1

# Write a customer, if she is still the one that was read, move tokens with it, keep documents and add to counters, all or nothing. The names
# of the pools that refused (then nothing is written), 1 when it is done, 0 where she was changed meanwhile, TAKEN where a document stands.
# KEYS customer, versions, counters, counters:changed, documents…
# ARGV her stamp as read, her new stamp, her sequence, her parts ('' as they are), now, seconds a pool is kept after its end, name of the
#      counters' version, her id, how many arguments of moves, then for each move its kind, pool, cap, end and step of the pool, holder,
#      tokens, bid, until ('' never), whether it must be held (1), then each document and seconds until it expires ('' never), then for
#      each counter its name and what to add to both
SETTLE = Script(f"""{POOL}{PAPER}
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 0 end
for i = 5, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then return {TAKEN} end
end
local now, refused, writes, pools, ends_of = tonumber(ARGV[5]), {{}}, {{}}, {{}}, {{}}
local last = 9 + tonumber(ARGV[9])
for i = 10, last, 10 do
  local kind, name, cap, ends, step = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  local tokens, bid, held = tonumber(ARGV[i + 6]), tonumber(ARGV[i + 7]), 'held:' .. name
  local member = ARGV[i + 6] .. ':' .. ARGV[i + 5]
  local one = pools[name]
  if not one then
    one = read_pool(name, now)
    pools[name], ends_of[name] = one, ends
    for _, late in ipairs(one.late) do writes[#writes + 1] = {{'ZREM', held, late}} end
  end
  if kind == 'take' then
    local current = price(one, cap, ends, step, now)
    if one.used + tokens > cap or bid < tokens * current then
      refused[#refused + 1] = name
    else
      one.used, one.price, one.at, one.known = one.used + tokens, current + step * tokens, now, true
      if ARGV[i + 8] ~= '' then writes[#writes + 1] = {{'ZADD', held, ARGV[i + 8], member}} end
    end
  elseif one.known then
    local score = redis.call('ZSCORE', held, member)
    local is_held = score and tonumber(score) > now
    if is_held then writes[#writes + 1] = {{'ZREM', held, member}} end
    if kind == 'keep' and not is_held then one.used = one.used + tokens end
    if kind == 'back' and (is_held or ARGV[i + 9] ~= '1') then one.used = one.used - tokens end
  end
end
if #refused > 0 then return refused end
for _, write in ipairs(writes) do redis.call(unpack(write)) end
for name, one in pairs(pools) do
  if one.known then
    local key, rest = 'pool:' .. name, ends_of[name] - now + tonumber(ARGV[6])
    redis.call('HSET', key, 'used', one.used, 'price', string.format('%.17g', one.price), 'at', one.at)
    if ends_of[name] > 0 then
      redis.call('EXPIRE', key, rest)
      redis.call('EXPIRE', 'held:' .. name, rest)
    end
  end
end
for i = 5, #KEYS do
  keep(KEYS[i], ARGV[last + 1], ARGV[last + 2], ARGV[8])
  last = last + 2
end
local version = #ARGV > last and redis.call('HINCRBY', KEYS[2], ARGV[7], 1)
for i = last + 1, #ARGV, 3 do
  local sums = redis.call('HGET', KEYS[3], ARGV[i]) or '0 0'
  local tries, positives = string.match(sums, '(%S+) (%S+)')
  redis.call('HSET', KEYS[3], ARGV[i], string.format('%.17g %.17g', tries + ARGV[i + 1], positives + ARGV[i + 2]))
  redis.call('ZADD', KEYS[4], version, ARGV[i])
end
if ARGV[4] ~= '' then redis.call('SET', KEYS[1], ARGV[2] .. struct.pack('<I8', ARGV[3]) .. ARGV[4]) end
return 1
""")


def settle(server: RedisServer, one: Settling, *, now: int) -> Settled:
    """What came of it, on her ledger as it stands."""
    came: Settled | None = None
    for _ in attempts():
        stamp, customer = customers.one(server, one.customer_id)
        settled = one.settle(customer.ledger)
        if settled is None:
            return []
        came = _came(server.run(SETTLE, [_settling(stamp, customer, settled, now)])[0], settled)
        if came is not None:
            break
    return came or []


def settle_all(server: RedisServer, several: Sequence[Settling], *, now: int) -> list[Settled]:
    """What came of each, in one round trip for all whose ledgers stand as they were read."""
    first = [_as_read(one) for one in several]
    tried = [(nth, *one) for nth, one in enumerate(first) if one is not None]
    answers = server.run(SETTLE, [_settling(stamp, customer, settled, now) for _, stamp, customer, settled in tried])
    came = {nth: _came(answer, settled) for (nth, _, _, settled), answer in zip(tried, answers, strict=True)}
    return [_alone(server, one, now) if (told := came.get(nth)) is None else told for nth, one in enumerate(several)]


def _alone(server: RedisServer, one: Settling, now: int) -> Settled:
    try:
        return settle(server, one, now=now)
    except StoreUnavailable as error:  # the others stand
        return error


def _as_read(one: Settling) -> tuple[bytes, Customer, Settlement] | None:
    """Her stamp, herself, and what is settled of the ledger that was read; None where none was, or nothing is."""
    if one.found is None:
        return None
    customer = one.found.customer or Customer(one.customer_id)
    settled = one.settle(customer.ledger)
    return None if settled is None else (one.found.stamp, customer, settled)


def _came(answer: Any, settled: Settlement) -> Settled | None:
    """What SETTLE says; None where she was changed meanwhile."""
    if isinstance(answer, list):
        return [name.decode() for name in answer]
    if answer == TAKEN:
        return PaperTakenError(settled.papers[0].key)
    return [] if answer else None


def _settling(stamp: bytes, customer: Customer, settled: Settlement, now: int) -> tuple[Sequence[bytes], Sequence[Any]]:
    """Keys and arguments of SETTLE."""
    whose, papers = customer.customer_id, settled.papers
    names = [keys.key("customer", whose), keys.VERSIONS, keys.COUNTED, keys.COUNTED_LAST]
    names += [keys.document_key(paper.kind, paper.key) for paper in papers]
    parts = b"" if settled.ledger is None else keys.dump_parts(customer._replace(ledger=settled.ledger))
    moves = list(itertools.chain(*map(moving, settled.moves)))
    kept = [(paper.document, "" if paper.expires_s is None else paper.expires_s) for paper in papers]
    added = [(keys.utf8(name), repr(tries), repr(positives)) for name, (tries, positives) in settled.counts.items()]
    head = (stamp, os.urandom(8), customer.sequence, parts, now, POOL_KEPT_S, COUNTERS, keys.utf8(whose), len(moves))
    return names, (*head, *moves, *itertools.chain(*kept), *itertools.chain(*added))
