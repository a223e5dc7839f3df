-- A task paused by name: in no set, and its timers stand. Its story is when the pause began and JSON {by, until, why}.
-- fields: timers_left, status, pause, pause_asked, due
-- uses: clock, event, task, timers, stand
-- What the timers still had to run, as words 'kind:ms'. A queue timer is none of them: who is READY again waits anew.
-- Who has none, as most have, is asked in two commands.
local function stop_timers(m)
  local left, items, any = {}, timers_of(m.id), call('EXISTS', K.standing) == 1
  for _, at in ipairs(call('ZMSCORE', K.timers, unpack(items))) do any = any or at end
  if not any then return '' end
  for _, item in ipairs(items) do
    local ms, kind = time_left(item, m), item:match('^%w+')
    if ms and kind ~= 'queue' then left[#left + 1] = kind .. ':' .. math.max(0, ms) end
  end
  drop_timers(m.id)
  return table.concat(left, ' ')
end
-- Another time for a timer that stands; at: ms, or nil for none.
local function change_left(m, kind, at)
  local left = (call('HGET', key('task', m.id), F.timers_left) or ''):gsub(kind .. ':%d+ *', '')
  if at and kind ~= 'queue' then left = left .. ' ' .. kind .. ':' .. math.max(0, at - now) end
  call('HSET', key('task', m.id), F.timers_left, left)
end
local function end_of(story) return tonumber(story:match('"until":(%d+)')) end
local function end_halt_at(id, ends)
  if ends then call('ZADD', K.timers, ends, 'resume:task:' .. id) else call('ZREM', K.timers, 'resume:task:' .. id) end
end
-- left: of its timers.
local function halt(m, story, left)
  move(m, T.PAUSED)
  call('HSET', key('task', m.id), F.status, T.PAUSED, F.pause, story, F.timers_left, left)
  call('HDEL', key('task', m.id), F.pause_asked, F.due)
  local ends = end_of(story)
  if ends then end_halt_at(m.id, ends) end
  emit(m.run, 'paused', m.id, story)
end
-- The story of the pause that a RUNNING task was asked to make at its end, unless that pause is over.
local function asked_to_halt(m)
  local story = call('HGET', key('task', m.id), F.pause_asked)
  local ends = story and end_of(story)
  if story and (not ends or ends > now) then return story end
  if story then call('HDEL', key('task', m.id), F.pause_asked) end
end
