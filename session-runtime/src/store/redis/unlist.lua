-- KEYS: the index, then the session if it shares its slot. What has been stored there anew stays listed.
local session, listed, now, owner = unpack(ARGV)
if KEYS[2] then
  local state, _, owners = stands(KEYS[2], now)
  if state == 'live' and owners:find(owner, 1, true) then return {'live'} end
elseif tonumber(redis.call('ZSCORE', KEYS[1], session) or '-1') ~= tonumber(listed) then
  return {'live'}
end
redis.call('ZREM', KEYS[1], session)
return {'done'}
