-- `listed` is until when the owners' indexes list the session for sure, where the caller has seen to it.
local now, expected, ends, listed, ttl = unpack(ARGV)
local state, revision, owners, _, listed_now = stands(KEYS[1], now)
if state ~= 'live' then return {state, revision} end
if revision ~= expected then return {'done'} end
if owners ~= '-' and tonumber(listed) < tonumber(ends) then
  if tonumber(listed_now) < tonumber(ends) then return {'unlisted', owners} end
  listed = listed_now
end
redis.call('SETRANGE', KEYS[1], 0, ends .. ' ' .. listed)
redis.call('PEXPIRE', KEYS[1], ttl)
return {'done'}
