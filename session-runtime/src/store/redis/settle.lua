-- Ends the waiting of a session for the rotation from `from`: it is there, or it never was.
local now, from, keep, most, grace = unpack(ARGV)
local waits = 'pending ' .. from .. ' '
local text = redis.pcall('GET', KEYS[1])
if type(text) ~= 'string' or text:sub(1, #waits) ~= waits then return {'gone'} end
if keep == '0' then
  redis.call('DEL', KEYS[1])
  return {'done'}
end
local value = text:sub(#waits + 1)
local left = math.max(tonumber(value:sub(1, 16)) - tonumber(now), 0) + tonumber(grace)
redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', math.min(left, tonumber(most))))
return {'done'}
