local expected, text, ttl = unpack(ARGV)
local state, standing = stands(KEYS[1], expected)
if state == 'gone' then return {state} end
if state == 'conflict' then return {state, standing, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], text, 'EX', ttl)
return {'done'}
