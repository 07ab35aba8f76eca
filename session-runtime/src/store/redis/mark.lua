-- A mark is `AT UNTIL`. No two of an owner are the same.
local at, till, now, since, grace, most = unpack(ARGV)
local stood, stands_until = (redis.call('GET', KEYS[1]) or ''):match('^(%d+) (%d+)$')
if stood and tonumber(now) < tonumber(stands_until) then
  if since ~= '-' and tonumber(stood) >= tonumber(since) then return {'gone'} end
  at = string.format('%016.0f', math.max(tonumber(at), tonumber(stood) + 1))
  till = string.format('%016.0f', math.max(tonumber(till), tonumber(stands_until)))
end
local left = math.max(tonumber(till) - tonumber(now), 0) + tonumber(grace)
redis.call('SET', KEYS[1], at .. ' ' .. till, 'PX', string.format('%.0f', math.min(left, tonumber(most))))
return {'done', at}
