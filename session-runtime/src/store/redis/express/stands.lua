-- Whether the text of a session is still the one that was read: by its SHA-1, since Express writes no revision.
local function stands(key, expected)
  local text = redis.call('GET', key)
  if not text then return 'gone' end
  if redis.sha1hex(text):sub(1, #expected) == expected then return 'live' end
  return 'conflict', text
end
