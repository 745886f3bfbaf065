"""Pools of tokens in Redis, in Lua (see service.store.Move and models.budgets)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.budgets import Level
from service.store import Move
from service.store.redis import keys
from service.store.redis.server import RedisServer, Script

# A pool of tokens in Lua, as models.budgets reckons it: how it stands without what has come back, and the price of a token.
POOL = """
local function read_pool(name, now)
  local row = redis.call('HMGET', 'pool:' .. name, 'used', 'price', 'at')
  local one = {name = name, used = tonumber(row[1] or 0), price = tonumber(row[2] or 0), at = tonumber(row[3] or 0)}
  one.known = row[1] ~= false
  one.late = redis.call('ZRANGEBYSCORE', 'held:' .. name, '-inf', now)
  for _, member in ipairs(one.late) do one.used = one.used - tonumber(string.match(member, '^%d+')) end
  return one
end
local function price(one, cap, ends, step, now)
  if one.price == 0 or ends == 0 or now >= ends then return 0 end
  local waited = 0
  if now > one.at then waited = math.log((ends - one.at) / (ends - now)) end
  return math.max(0, one.price - step * (cap - one.used) * waited)
end
"""

# What stands under some keys, and how pools stand: for each the tokens drawn, the price and its time, as texts.    KEYS …    ARGV now, names…
READ = Script(
    f"""{POOL}
local answer = #KEYS > 0 and redis.call('MGET', unpack(KEYS)) or {{}}
for i = 2, #ARGV do
  local one = read_pool(ARGV[i], ARGV[1])
  answer[#answer + 1] = one.used .. ' ' .. string.format('%.17g', one.price) .. ' ' .. one.at
end
return answer
""",
    writes=False,
)


def levels(server: RedisServer, pools: Sequence[str], *, now: int) -> dict[str, Level]:
    """How pools stand."""
    return read(server, (), pools, now=now)[1] if pools else {}


def read(
    server: RedisServer, names: Sequence[bytes], pools: Sequence[str], *, now: int
) -> tuple[list[bytes | None], dict[str, Level]]:
    """What stands under some keys, and how pools stand."""
    found = server.run(READ, [(names, (now, *map(keys.utf8, pools)))])[0]
    rows = [level.decode().split() for level in found[len(names) :]]
    levels = [Level(int(used), float(price), int(at)) for used, price, at in rows]
    return found[: len(names)], dict(zip(pools, levels, strict=True))


def moving(move: Move) -> Sequence[Any]:
    """The arguments of one move in settlement.SETTLE."""
    pool, until = move.pool, "" if move.until is None else move.until
    where = (move.kind, keys.utf8(pool.name), pool.cap, pool.ends, repr(pool.step))
    return (*where, keys.utf8(move.holder), move.tokens, repr(move.bid), until, int(move.held))
