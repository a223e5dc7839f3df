-- Keeps what kinds of tasks take, and forgets those that nobody ran for longest.
-- args: most, kinds{kind, ms}...
-- returns: {'ok'}
local values, uses = {}, {}
for i = A.kinds.first, A.kinds.last, A.kinds.width do
  local n = i - 1
  values[n], values[n + 1] = A.kinds[i].kind, A.kinds[i].ms
  uses[n], uses[n + 1] = now, A.kinds[i].kind
end
call('HSET', K.estimates, unpack(values))
call('ZADD', K.estimated, unpack(uses))
local over = call('ZCARD', K.estimated) - A.most
if over > 0 then
  local gone = call('ZPOPMIN', K.estimated, over)
  for i = 1, #gone, 2 do call('HDEL', K.estimates, gone[i]) end
end
return {'ok'}
