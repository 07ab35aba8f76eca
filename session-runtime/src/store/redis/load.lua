-- Answers the text of a session, and has moved its end where that is due. Where an owner's index would
-- have to list it anew, that is left to a touch.
local now, latest, absolute, least, grace, most = unpack(ARGV)
-- Not `GET`, so that the server's own statistics tell clients' reads from this one.
local text = redis.call('GETRANGE', KEYS[1], 0, -1)
if text == '' then return false end
local born = '{"v":1,"rev":%d+,"created":(%d+),"(%a+)"'
local ends, listed, _, owners, created, member = text:match(head .. born)
if not ends or member == 'idle' or tonumber(ends) <= tonumber(now) then return text end
local due = math.min(tonumber(latest), created + absolute)
if due <= tonumber(now) or math.abs(due - ends) < tonumber(least) then return text end
if owners ~= '-' and tonumber(listed) < due then return text end
ends = string.format('%016.0f', due)
-- A server that is full refuses it, and lets the session live until it would have ended.
if type(redis.pcall('SETRANGE', KEYS[1], 0, ends)) == 'table' then return text end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(due - now + grace, tonumber(most))))
return ends .. text:sub(17)
