-- Pauses tasks by name: what has not started is PAUSED at once, what runs makes only no further attempt.
-- args: terms, until, task ..., envelope
-- returns: {{'ok', story} | {'late', server ms} | {'conflict', status} | {'settling', kind, id} | {'missing'} ...}
-- events: paused | pause_requested
-- uses: settle, halt, grant, unqueue, ready, event
-- terms: JSON {by, until, why}. until: ms, or '' for no end. story: when it began and its terms. One that is paused
-- keeps its beginning and takes the new terms.
local terms, ends = ARGV[1], tonumber(ARGV[2])
local function pause_again(m, field, before)
  local since, told = before:match('^(%d+) (.*)$')
  local story = since .. ' ' .. terms
  if told == terms then return {'ok', story} end
  if ends and ends <= now then return {'late', now} end
  call('HSET', key('task', m.id), field, story)
  if field == 'pz' then end_halt_at(m.id, ends) end
  emit(m.run, 'pause_requested', m.id, story)
  return {'ok', story}
end
local function pause(id)
  local m = find(id)
  if not m then return {'missing'} end
  if C.terminal[m.st] then return {'conflict', m.st} end
  local v = call('HMGET', key('task', m.id), 'pz', 'pq')
  if v[1] then return pause_again(m, 'pz', v[1]) end
  if v[2] and m.st == T.RUNNING then return pause_again(m, 'pq', v[2]) end
  local wait = unsettled(m)
  if wait then return wait end
  if ends and ends <= now then return {'late', now} end
  local story = now .. ' ' .. terms
  if m.st == T.RUNNING then
    call('HSET', key('task', m.id), 'pq', story)
    emit(m.run, 'pause_requested', m.id, story)
    return {'ok', story}
  end
  if m.granted then drop_grant(m) elseif m.st == T.READY then leave_ready(m) end
  halt(m, story, stop_timers(m))
  note_lane(m.lane)
  return {'ok', story}
end
local found = {}
for i = 3, #ARGV - 1 do found[#found + 1] = pause(ARGV[i]) end
grant_made()
return found
