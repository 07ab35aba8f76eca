-- KEYS: the session, then the indexes that share its slot.
local now, value, ttl, session, till, index_ttl = unpack(ARGV)
-- Mostly nothing lies there, and no index has to list it. Not by a command of its own: what a server answers
-- to that is what it answers to many.
if #KEYS == 1 and redis.call('SET', KEYS[1], value, 'NX', 'PX', ttl) then return {'done'} end
local state, from = stands(KEYS[1], now)
if state ~= 'gone' then return {state, from} end
for i = 2, #KEYS do list(KEYS[i], session, now, till, index_ttl) end
redis.call('SET', KEYS[1], value, 'PX', ttl)
return {'done'}
