-- KEYS: the session, then the indexes that share its slot.
local now, value, ttl, session, till, index_ttl = unpack(ARGV)
local state, from = stands(KEYS[1], now)
if state ~= 'gone' then return {state, from} end
for i = 2, #KEYS do list(KEYS[i], session, now, till, index_ttl) end
redis.call('SET', KEYS[1], value, 'PX', ttl)
return {'done'}
