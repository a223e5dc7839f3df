-- Opens a step again that FAILED or was CANCELLED, then what of its children did, a piece at a time.
-- args: term, entry, step, rests_on, envelope
-- returns: {'ok', 1 while more remain else 0} | {'stale'} the term | {'changed'} read and decide again | {'settling'} | {'missing'}
-- events: reopened, step_reopened, step_running, ready
-- fields: failed_before, unput, branch, turns, end_as, end_reason, culprit, shown_as, closing, retrying, queue
-- fields: waiting, planned, parent, path, signal, max_parallel, next_item
-- entry: the decision to delete once all children are open again, or ''. What COMPLETED keeps its result.
local entry = A.entry
local m, no = decided_step(A.term, entry, A.step, A.rests_on)
if not m then return no end
-- With what it had before its end began, and asked about by nobody while its children are opened.
local function revive(c)
  local v = call('HMGET', key('task', c.id), F.failed_before, F.unput, F.branch)
  -- The steps at its end are put anew, under another number.
  if v[3] == 'finally' then
    call('HDEL', key('task', c.id), F.branch)
    call('HINCRBY', key('task', c.id), F.turns, 1)
  end
  call('HDEL', key('task', c.id), F.end_as, F.end_reason, F.culprit, F.shown_as, F.unput)
  call('HSET', key('task', c.id), F.closing, 0, F.retrying, 1, F.queue, c.queue == '%w' and c.queue or '%')
  if c.queue == '%m' then call('HINCRBY', key('task', c.id), F.waiting, C.ruled) end
  if v[2] then
    call('HINCRBY', key('task', c.id), F.waiting, v[2])
    call('HINCRBY', key('task', c.id), F.planned, v[2])
  end
  local limit = forget_timers(c)
  open_again(c, T.RUNNING, v[1])
  if limit then arm_limit(c, limit) end
end
local function open_child(id)
  local c = load(id)
  if not c or not (c.st == T.FAILED or c.st == T.CANCELLED) then return false end
  local v = call('HMGET', key('task', id), F.parent, F.planned, F.failed_before, F.path)
  if v[1] ~= m.id then return false end
  if (v[4] or ''):find('~finally[@%d]*$') then
    call('HINCRBY', key('task', m.id), how_counted(c.st, v[3]), -1)
    return false
  end
  if unsettled(c) then
    continue_release(c.id)
    drain_gates()
    return true
  end
  if is_step(c) and v[2] then
    revive(c)
    ask(c.id, m.id, 'retry')
  else
    if is_step(c) then
      call('HDEL', key('task', id), F.end_as, F.end_reason, F.culprit, F.shown_as, F.signal)
      -- An approval whose answer it took is asked for anew.
      local name = '~approve/' .. (v[4] or '')
      local place = signal_place(m, name)
      local home = place:match('^[^:]+')
      if call('EXISTS', key('inbox', place)) == 0 then
        call('HDEL', key('received_signals', home), name .. ':' .. id)
      end
    end
    open_again(c, T.PENDING, v[3])
  end
  return false
end
if m.st == T.FAILED or m.st == T.CANCELLED then
  if unsettled(m) then
    continue_release(m.id)
    drain_gates()
    return {'settling'}
  end
  revive(m)
  m.cx = 0
end
local cursor, again = tonumber(m.cx or 0), false
local chunk = call('LINDEX', key('children', m.id), cursor)
if chunk then
  local first, count = span(chunk)
  for no = first, first + count - 1 do again = open_child(id_at(no)) or again end
  if not again then cursor = call('HINCRBY', key('task', m.id), F.closing, 1) end
end
local more = call('LLEN', key('children', m.id)) > cursor
if not more then
  call('HDEL', key('task', m.id), F.retrying)
  local most = call('HGET', key('task', m.id), F.max_parallel)
  if most then
    -- What ended meanwhile let nobody start.
    local v = call('HMGET', key('task', m.id), F.waiting, F.planned, F.next_item)
    local active = tonumber(v[3]) - (tonumber(v[2]) - tonumber(v[1] or 0))
    call('HSET', key('task', m.id), F.queue, '%m')
    call('HINCRBY', key('task', m.id), F.waiting, -C.ruled)
    for _ = active + 1, tonumber(most) do open_window(m.id) end
    drain_gates()
  end
  ask(m.id, '', 'counters')
  answered(entry)
end
grant_made()
return {'ok', more and 1 or 0}
