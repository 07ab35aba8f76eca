local state, revision, owners, _, listed = stands(KEYS[1], ARGV[1])
if state ~= 'live' then return {state, revision} end
redis.call('DEL', KEYS[1])
return {'done', listed .. ' ' .. owners}
