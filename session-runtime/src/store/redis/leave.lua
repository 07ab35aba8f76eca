-- Decides a rotation to another slot: the session has moved, or it has not.
local now, expected, to, ttl = unpack(ARGV)
local state, revision, owners, _, listed = stands(KEYS[1], now)
if state ~= 'live' then return {state, revision} end
if revision ~= expected then return {'conflict', redis.call('GET', KEYS[1])} end
redis.call('SET', KEYS[1], 'moved ' .. to, 'PX', ttl)
return {'done', listed .. ' ' .. owners}
