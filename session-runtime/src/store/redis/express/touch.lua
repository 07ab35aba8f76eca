-- Where another text stands, its writer has said when it ends.
local expected, ttl = unpack(ARGV)
local state = stands(KEYS[1], expected)
if state == 'gone' then return {state} end
if state == 'live' then redis.call('EXPIRE', KEYS[1], ttl) end
return {'done'}
