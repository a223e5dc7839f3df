-- What aging did to a task's place is undone when its waiting is over for good.
-- uses: clock, task
local function forget_age(m)
  local aged = call('HGET', key('task', m.id), 'ag')
  if not aged then return end
  m.score = aged:match('^%d+')
  call('HSET', key('task', m.id), 'sc', m.score)
  call('HDEL', key('task', m.id), 'ag')
end
