-- KEYS: from where, to where.
local expected, text, ttl = unpack(ARGV)
if redis.call('EXISTS', KEYS[2]) == 1 then return {'taken'} end
local state, standing = stands(KEYS[1], expected)
if state == 'gone' then return {state} end
if state == 'conflict' then return {state, standing, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[2], text, 'EX', ttl)
redis.call('DEL', KEYS[1])
return {'done'}
