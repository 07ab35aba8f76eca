local session, now, till, ttl = unpack(ARGV)
list(KEYS[1], session, now, till, ttl)
return {'done'}
