-- Pauses tasks by name: what has not started is PAUSED at once, what runs makes only no further attempt.
-- args: terms, until_ms, tasks..., envelope
-- returns: {{'ok', record} | {'late', server ms} | {'conflict', status} | {'settling', kind, id} | {'missing'} | {'workflow'} its steps run ...}
-- events: paused | pause_requested
-- fields: pause, pause_asked, question
-- terms: JSON {by, kind, until, why}. until: ms, or '' for no end. record: when it began and its terms. One that is
-- paused keeps its beginning and takes the new terms.
local terms, ends = A.terms, tonumber(A.until_ms)
local function pause_again(m, field, before)
  local since, said = before:match('^(%d+) (.*)$')
  local record = since .. ' ' .. terms
  if said == terms then return {'ok', record} end
  if ends and ends <= now then return {'late', now} end
  call('HSET', key('task', m.id), field, record)
  if field == F.pause then end_pause_at(m.id, ends) end
  emit(m.run, 'pause_requested', m.id, record)
  return {'ok', record}
end
local function pause(id)
  local m = find(id)
  if not m then return {'missing'} end
  if C.terminal[m.st] then return {'conflict', m.st} end
  local v = call('HMGET', key('task', m.id), F.pause, F.pause_asked, F.question)
  if v[1] and not v[3] then return pause_again(m, F.pause, v[1]) end
  if v[2] and (m.st == T.RUNNING or v[3]) then return pause_again(m, F.pause_asked, v[2]) end
  local wait = unsettled(m)
  if wait then return wait end
  if ends and ends <= now then return {'late', now} end
  -- No attempt of its own could be the last one.
  if m.st == T.RUNNING and m.queue == '%w' then return {'workflow'} end
  local record = now .. ' ' .. terms
  -- One that asks stays PAUSED behind the answer.
  if m.st == T.RUNNING or v[3] then
    call('HSET', key('task', m.id), F.pause_asked, record)
    emit(m.run, 'pause_requested', m.id, record)
    return {'ok', record}
  end
  if m.granted then drop_grant(m) elseif m.st == T.READY then leave_ready(m) end
  suspend_task(m, record, stop_timers(m))
  note_queue(m.queue)
  return {'ok', record}
end
local found = {}
for i = A.tasks.first, A.tasks.last do found[#found + 1] = pause(A.tasks[i]) end
grant_made()
return found
