-- Ends the next children of a step that is to end: what has not started is cancelled, what runs is asked to stop.
-- args: term, entry, step, rests_on, end_as, reason, words..., envelope
-- returns: {'ok', 1 while more remain else 0} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: cancelled, cancel_requested, step_cancelled, step_closing
-- fields: error, end_as, queue, end_reason, closing, waiting, planned, unput, parent, cancel, reason
-- fields: closed_by
-- entry: the decision to delete once all children heard, or ''. end_as: what becomes of the step when all are over; the
-- first one stays. '' only notes what is to blame, and nobody is ended. words: field, value, ... that say why, set
-- once. It touches as many children as one piece of them was put with.
local entry, reason = A.entry, A.reason
local m, no = decided_step(A.term, entry, A.step, A.rests_on)
if not m then return no end
if A.words.last >= A.words.first and call('HEXISTS', key('task', m.id), F.error) == 0 then
  call('HSET', key('task', m.id), unpack(ARGV, A.words.first, A.words.last))
end
if A.end_as == '' then
  answered(entry)
  return {'ok', 0}
end
if not m.end_as then
  call('HSET', key('task', m.id), F.end_as, A.end_as, F.queue, m.queue == '%w' and m.queue or '%', F.end_reason, reason,
    F.closing, 0)
  m.cx = 0
  if m.queue == '%m' then m.w = call('HINCRBY', key('task', m.id), F.waiting, C.ruled) end
  emit(m.run, 'step_closing', m.id, A.end_as)
  -- Children that were announced and never put.
  local unput = tonumber(m.tot or 0) - tonumber(m.x or 0)
  if unput > 0 then
    m.w = call('HINCRBY', key('task', m.id), F.waiting, -unput)
    call('HSET', key('task', m.id), F.planned, m.x or 0, F.unput, unput)
  end
end
local function close(id)
  local c = load(id)
  if not c or C.terminal[c.st] or call('HGET', key('task', id), F.parent) ~= m.id then return end
  if unsettled(c) then
    continue_release(c.id)
    drain_gates()
    return true
  end
  if is_step(c) and c.st == T.RUNNING then
    ask(c.id, m.id, 'close')
  elseif c.st == T.RUNNING then
    if c.cq then return end
    call('HSET', key('task', c.id), F.cancel, reason)
    ask_to_cancel(execution_id(c.id, c.att))
    emit(c.run, 'cancel_requested', c.id, reason)
  else
    close_task(c, T.CANCELLED, reason, F.reason, reason, F.closed_by, m.id)
  end
end
hushed = m.id
local cursor, again = tonumber(m.cx or 0), false
local chunk = call('LINDEX', key('children', m.id), cursor)
if chunk then
  local first, count = span(chunk)
  for no = first, first + count - 1 do again = close(id_at(no)) or again end
  if not again then cursor = call('HINCRBY', key('task', m.id), F.closing, 1) end
end
hushed = nil
local more = call('LLEN', key('children', m.id)) > cursor
if not more then
  if tonumber(call('HGET', key('task', m.id), F.waiting) or 0) == 0 then ask(m.id, '', 'counters') end
  answered(entry)
end
grant_made()
return {'ok', more and 1 or 0}
