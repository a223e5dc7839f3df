-- Keeps what kinds of tasks take, and forgets those that nobody ran for longest.
-- args: most, kind and ms pairs ...
-- returns: {'ok'}
-- uses: clock
local values, uses = {}, {}
for i = 2, #ARGV, 2 do
  local n = i - 1
  values[n], values[n + 1] = ARGV[i], ARGV[i + 1]
  uses[n], uses[n + 1] = now, ARGV[i]
end
call('HSET', K.estimates, unpack(values))
call('ZADD', K.estimated, unpack(uses))
local over = call('ZCARD', K.estimated) - ARGV[1]
if over > 0 then
  local gone = call('ZPOPMIN', K.estimated, over)
  for i = 1, #gone, 2 do call('HDEL', K.estimates, gone[i]) end
end
return {'ok'}
