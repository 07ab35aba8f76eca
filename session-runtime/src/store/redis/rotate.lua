-- KEYS: from where, to where, then the indexes; all in one slot.
local now, expected, value, ttl, session, till, index_ttl = unpack(ARGV)
local target = stands(KEYS[2], now)
if target == 'foreign' then return {'foreign'} end
if target ~= 'gone' then return {'taken'} end
local state, revision, owners, _, listed = stands(KEYS[1], now)
if state ~= 'live' then return {state, revision} end
if revision ~= expected then return {'conflict', redis.call('GET', KEYS[1])} end
for i = 3, #KEYS do list(KEYS[i], session, now, till, index_ttl) end
redis.call('SET', KEYS[2], value, 'PX', ttl)
redis.call('DEL', KEYS[1])
return {'done', listed .. ' ' .. owners}
