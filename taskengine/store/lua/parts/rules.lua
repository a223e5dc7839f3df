-- What a decision about a task rests on: its counters, its dependencies and its trigger rule, in one word each.
-- fields: rule, depends_on
-- uses: clock, task
local function revision(m)
  local v = call('HMGET', key('task', m.id), F.rule, F.depends_on)
  return m.w .. ' ' .. m.f .. ' ' .. m.c .. ' ' .. #(v[2] or '') .. ' ' .. (v[1] or '')
end
