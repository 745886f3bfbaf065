"""What must happen as one on the Redis server, in Lua. Each script writes everything or nothing; keys are those of redis_keys."""

from __future__ import annotations

from service.store.redis_keys import BUCKET, DIGEST, MOVED
from service.store.redis_server import Script

# Write a customer, and log events of hers, if she is still the one that was read and no event is known. 1, or 0 where that is not so.
# KEYS customer, sequence, history
# ARGV her stamp as read, her new stamp, her sequence where nothing is logged, her parts, seconds a key is known, then for each event
#      the digests of its keys in one, and the event
COMMIT = Script(f"""
local function keys_of(digests)
  local keys = {{}}
  for i = 1, #digests, {DIGEST} do keys[#keys + 1] = 'event:' .. string.sub(digests, i, i + {DIGEST - 1}) end
  return keys
end
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 0 end
for i = 6, #ARGV, 2 do
  for _, key in ipairs(keys_of(ARGV[i])) do
    if redis.call('EXISTS', key) == 1 then return 0 end
  end
end
local sequence = ARGV[3]
for i = 6, #ARGV, 2 do
  sequence = redis.call('INCR', KEYS[2])
  redis.call('HSET', 'log:' .. math.floor((sequence - 1) / {BUCKET}), sequence, ARGV[i + 1])
  redis.call('RPUSH', KEYS[3], struct.pack('<I8', sequence) .. ARGV[i])
  for _, key in ipairs(keys_of(ARGV[i])) do redis.call('SET', key, 1, 'EX', ARGV[5]) end
end
redis.call('SET', KEYS[1], ARGV[2] .. struct.pack('<I8', sequence) .. ARGV[4])
return 1
""")

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

# How pools stand: for each the tokens drawn, the price and its time, as texts.    ARGV now, names…
LEVELS = Script(
    f"""{POOL}
local answer = {{}}
for i = 2, #ARGV do
  local one = read_pool(ARGV[i], ARGV[1])
  answer[#answer + 1] = one.used .. ' ' .. string.format('%.17g', one.price) .. ' ' .. one.at
end
return answer
""",
    writes=False,
)

# Keep a document of a customer's, and note whose it is; `expires` in seconds, '' never.
PAPER = """
local function keep(key, document, expires, whose)
  if expires == '' then redis.call('SET', key, document) else redis.call('SET', key, document, 'EX', expires) end
  if whose then
    local now, papers = tonumber(redis.call('TIME')[1]), 'papers:' .. whose
    redis.call('ZREMRANGEBYSCORE', papers, '-inf', now - 1)
    redis.call('ZADD', papers, expires == '' and '+inf' or now + expires + 1, key)
  end
end
"""
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

# Take events out of the log and out of their customers' histories; how many were there.
# ARGV for each event its sequence, the key of the history, the event as it stands there
DROP = Script(f"""
local count = 0
for i = 1, #ARGV, 3 do
  if redis.call('HDEL', 'log:' .. math.floor((tonumber(ARGV[i]) - 1) / {BUCKET}), ARGV[i]) == 1 then
    redis.call('LREM', ARGV[i + 1], 1, ARGV[i + 2])
    count = count + 1
  end
end
return count
""")

# Let a customer, whatever name is given, be found by some digests and no longer by others.
# KEYS customer    ARGV her id, how many no longer, those, the others
FINDABLE = Script(f"""
local whose, document = ARGV[1], redis.call('GET', KEYS[1])
if document and struct.unpack('<i4', document, 17) == {MOVED} then whose = string.sub(document, 29) end
for i = 3, #ARGV do
  local command = i < 3 + tonumber(ARGV[2]) and 'SREM' or 'SADD'
  redis.call(command, 'found:' .. ARGV[i], whose)
  redis.call(command, 'finds:' .. whose, ARGV[i])
end
return 1
""")

# Remove a customer, her events with their keys, her documents, and her other names. The number of records, keys and names not counted.
# KEYS customer, history, papers, names, finds    ARGV the id, then for each document that is left its key, and itself
ERASE = Script(f"""
local document, count = redis.call('GET', KEYS[1]), redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do redis.call('SET', ARGV[i], ARGV[i + 1]) end
if document and struct.unpack('<i4', document, 17) == {MOVED} then
  redis.call('SREM', 'names:' .. string.sub(document, 29), string.sub(KEYS[1], {len("customer:") + 1}))
  return 0
end
for _, name in ipairs(redis.call('SMEMBERS', KEYS[4])) do redis.call('DEL', 'customer:' .. name) end
redis.call('DEL', KEYS[4])
for _, event in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  local sequence = struct.unpack('<I8', event)
  count = count + redis.call('HDEL', 'log:' .. math.floor((sequence - 1) / {BUCKET}), sequence)
  for i = 9, #event, {DIGEST} do redis.call('DEL', 'event:' .. string.sub(event, i, i + {DIGEST - 1})) end
end
for _, document in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do count = count + redis.call('DEL', document) end
for _, digest in ipairs(redis.call('SMEMBERS', KEYS[5])) do redis.call('SREM', 'found:' .. digest, ARGV[1]) end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[5])
return count
""")

# Make a name another name of a customer, with its events and documents, if both are still what was read. 1, or 0 where they are not.
# KEYS customer: name, known; history: name, known; papers: name, known; names: name, known, of whom the name was one before; sequence;
#      finds: name, known
# ARGV stamp of the name and of the known one as read, new stamp, her sequence where no event moves, her parts, the name, her id,
#      then for each event its old sequence, the digests of its keys in one, and the event
MERGE = Script(f"""
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] or redis.call('GETRANGE', KEYS[2], 0, 7) ~= ARGV[2] then return 0 end
local sequence = ARGV[4]
local function bucket(number) return 'log:' .. math.floor((number - 1) / {BUCKET}) end
for i = 8, #ARGV, 3 do
  redis.call('HDEL', bucket(tonumber(ARGV[i])), ARGV[i])
  sequence = redis.call('INCR', KEYS[10])
  redis.call('HSET', bucket(sequence), sequence, ARGV[i + 2])
  redis.call('RPUSH', KEYS[4], struct.pack('<I8', sequence) .. ARGV[i + 1])
end
redis.call('ZUNIONSTORE', KEYS[6], 2, KEYS[5], KEYS[6], 'AGGREGATE', 'MAX')
local moved = ARGV[3] .. struct.pack('<I8i4i4i4', 0, {MOVED}, -1, -1) .. ARGV[7]
for _, name in ipairs(redis.call('SMEMBERS', KEYS[7])) do
  redis.call('SET', 'customer:' .. name, moved)
  redis.call('SADD', KEYS[8], name)
end
redis.call('SREM', KEYS[9], ARGV[6])
redis.call('SADD', KEYS[8], ARGV[6])
redis.call('SET', KEYS[1], moved)
for _, digest in ipairs(redis.call('SMEMBERS', KEYS[11])) do
  redis.call('SREM', 'found:' .. digest, ARGV[6])
  redis.call('SADD', 'found:' .. digest, ARGV[7])
  redis.call('SADD', KEYS[12], digest)
end
redis.call('DEL', KEYS[3], KEYS[5], KEYS[7], KEYS[11])
redis.call('SET', KEYS[2], ARGV[3] .. struct.pack('<I8', sequence) .. ARGV[5])
return 1
""")

# Keep a document unless one stands there, and note whose it is. 1 when it was new, else 0.
# KEYS document, customer (or none)    ARGV document, seconds until it expires ('' never), id of the customer
PUT = Script(f"""{PAPER}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local whose = KEYS[2] and ARGV[3]
local document = KEYS[2] and redis.call('GET', KEYS[2])
if document and struct.unpack('<i4', document, 17) == {MOVED} then whose = string.sub(document, 29) end
keep(KEYS[1], ARGV[1], ARGV[2], whose)
return 1
""")

# Set documents of items with the next version, which is returned.
# KEYS versions, items, items:changed    ARGV name of the version, item, document, item, document…
UPSERT_ITEMS = Script("""
local version = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[3], version, ARGV[i])
end
return version
""")

# Set the document of one item with the next version, if it is still the one that was read. 1, or 0 where it is not.
# KEYS versions, items, items:changed    ARGV name of the version, item, document as read ('' none), new document
CHANGE_ITEM = Script("""
if (redis.call('HGET', KEYS[2], ARGV[2]) or '') ~= ARGV[3] then return 0 end
local version = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
redis.call('ZADD', KEYS[3], version, ARGV[2])
return 1
""")
