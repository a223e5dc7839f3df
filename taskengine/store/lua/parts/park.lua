-- A READY task that may not run now waits under its reason, out of everybody's way, with its place kept.
-- uses: clock, task, ready
local function park(m, reason)
  call('ZREM', key('ready', m.lane), member(m))
  call('ZADD', key('park', reason), m.score, member(m))
  call('SADD', K.parks, reason)
  call('HSET', key('task', m.id), 'park', reason)
end
local function unpark(reason, most)
  local items = call('ZRANGE', key('park', reason), 0, most - 1)
  for _, item in ipairs(items) do
    local m = load(item:sub(13))
    if m and m.st == T.READY then
      call('HDEL', key('task', m.id), 'park')
      enqueue(m)
    end
    call('ZREM', key('park', reason), item)
  end
  if #items < most then call('SREM', K.parks, reason) end
  return #items
end
local function leave_ready(m)
  if m.park then
    call('ZREM', key('park', m.park), member(m))
    call('HDEL', key('task', m.id), 'park')
  else
    call('ZREM', key('ready', m.lane), member(m))
  end
end
