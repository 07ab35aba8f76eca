-- What stands under a key: 'live' and the head of a session, 'gone', 'pending' and the key that a
-- rotation comes from, or 'foreign'. The head of a session is `ENDS LISTED REVISION OWNERS `.
local number = ('%d'):rep(16)
local head = '^(' .. number .. ') (' .. number .. ') (' .. number .. ') (%S+) '

local function stands(key, now)
  local text = redis.pcall('GETRANGE', key, 0, 511)
  if type(text) ~= 'string' then return 'foreign' end
  if text == '' or text:find('^moved ') then return 'gone' end
  local from = text:match('^pending (%S+) ')
  if from then return 'pending', from end
  if #text == 512 and not text:find(head) then text = redis.call('GET', key) end
  local ends, listed, revision, owners = text:match(head)
  if not ends then return 'foreign' end
  if tonumber(ends) <= tonumber(now) then return 'gone' end
  return 'live', revision, owners, ends, listed
end

-- Lists a session of an owner until `till`, and drops what is past.
local function list(index, session, now, till, ttl)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. now)
  redis.call('ZADD', index, 'GT', till, session)
  if redis.call('PTTL', index) < tonumber(ttl) then redis.call('PEXPIRE', index, ttl) end
end
