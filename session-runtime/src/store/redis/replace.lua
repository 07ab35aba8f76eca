-- `listed` is until when the owners' indexes list the session for sure, where the caller has seen to it.
local now, expected, ends, listed, revision, owners, json, ttl = unpack(ARGV)
local state, stands_now, owned_by, _, listed_now = stands(KEYS[1], now)
if state ~= 'live' then return {state, stands_now} end
if stands_now ~= expected then return {'conflict', redis.call('GET', KEYS[1])} end
if owners ~= '-' and tonumber(listed) < tonumber(ends) then
  if owners ~= owned_by or tonumber(listed_now) < tonumber(ends) then return {'unlisted', owners} end
  listed = listed_now
end
local value = table.concat({ends, listed, revision, owners, json}, ' ')
redis.call('SET', KEYS[1], value, 'PX', ttl)
return {'done'}
