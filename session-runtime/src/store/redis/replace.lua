-- `listed` is until when the owners' indexes list the session for sure, where the caller has seen to it.
local now, expected, ends, listed, revision, owners, json, ttl = unpack(ARGV)
-- A session that is nobody's, and stands as expected, says so at fixed places: no pattern is matched, which
-- takes half of the time.
local is_as_expected = false
if owners == '-' then
  local text = redis.pcall('GETRANGE', KEYS[1], 0, 52)
  if type(text) == 'string' and text:sub(35) == expected .. ' - ' then
    is_as_expected = (tonumber(text:sub(1, 16)) or 0) > tonumber(now)
  end
end
if not is_as_expected then
  local state, stands_now, owned_by, _, listed_now = stands(KEYS[1], now)
  if state ~= 'live' then return {state, stands_now} end
  if stands_now ~= expected then return {'conflict', redis.call('GET', KEYS[1])} end
  if owners ~= '-' and tonumber(listed) < tonumber(ends) then
    if owners ~= owned_by or tonumber(listed_now) < tonumber(ends) then return {'unlisted', owners} end
    listed = listed_now
  end
end
local value = table.concat({ends, listed, revision, owners, json}, ' ')
redis.call('SET', KEYS[1], value, 'PX', ttl)
return {'done'}
