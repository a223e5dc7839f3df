-- Sets the bounds of a limit, all at once: what runs goes on, and nothing more starts until it is below them.
-- args: limit, in_flight, requests, input, output, day_cap, agent, most, envelope
-- returns: {'ok', 1 when that changed something else 0} | {'differs', agent that shares it} | {'full'}
-- fields: limit.in_flight, limit.requests, limit.input, limit.output, limit.day_cap
-- A bound is a number, or '' for none. agent: whose inline limit it is: refused where another agent shares it and says
-- something else; '' is a client, whose word counts. most: limits that may be stored.
local BOUNDS = {F.limit.in_flight, F.limit.requests, F.limit.input, F.limit.output, F.limit.day_cap}
local words = {A.in_flight, A.requests, A.input, A.output, A.day_cap}
local before, is_same = call('HMGET', key('limit', A.limit), unpack(BOUNDS)), true
for i, word in ipairs(words) do is_same = is_same and (before[i] or '') == word end
local is_known = call('SISMEMBER', K.limits, A.limit) == 1
if is_same and is_known then return {'ok', 0} end
if is_known and A.agent ~= '' then
  for _, other in ipairs(call('SRANDMEMBER', key('sharing', A.limit), 2)) do
    if other ~= A.agent then return {'differs', other} end
  end
end
if not is_known and call('SCARD', K.limits) >= tonumber(A.most) then return {'full'} end
call('SADD', K.limits, A.limit)
for i, word in ipairs(words) do
  if word == '' then call('HDEL', key('limit', A.limit), BOUNDS[i]) else
    call('HSET', key('limit', A.limit), BOUNDS[i], word)
  end
end
freed[#freed + 1] = A.limit
watch_limit(load_limit(A.limit))
grant_made()
return {'ok', 1}
