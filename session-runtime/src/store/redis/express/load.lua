-- Answers a session and how long it has left, and moves its end to `latest` seconds from now where that is due.
-- One with a lifetime of its own is left alone: a cookie goes with it.
local latest, least = tonumber(ARGV[1]), tonumber(ARGV[2])
local text = redis.call('GET', KEYS[1])
if not text then return false end
local left = redis.call('PTTL', KEYS[1])
local moved = math.abs(latest * 1000 - left)
if latest > 0 and left >= 0 and moved >= least and not text:find('"originalMaxAge":%d') then
  redis.call('EXPIRE', KEYS[1], latest)
  left = latest * 1000
end
return {text, left}
