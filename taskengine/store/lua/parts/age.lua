-- What aging did to a task's place is undone when its waiting is over for good.
-- fields: aged, score
-- uses: clock, task
local function forget_age(m)
  local aged = call('HGET', key('task', m.id), F.aged)
  if not aged then return end
  m.score = aged:match('^%d+')
  call('HSET', key('task', m.id), F.score, m.score)
  call('HDEL', key('task', m.id), F.aged)
end
