-- Steps of a workflow that no worker runs. PENDING, one waits for what stands before it; RUNNING, for its children, each of
-- which names it in the field `up`, and has it first among its dependents. So w, f and c count what stands before it,
-- then its children: never both, for it begins when all before it completed, which nobody reopens.
-- fields: kind, path, frame, parent, planned, placed, end_as, closing, branch, turns, next_item, clocks, status
-- fields: started, frame.revision, frame.asking, frame.workflow, signal

local STEP_FIELDS = {F.kind, F.path, F.frame, F.parent, F.planned, F.placed, F.end_as, F.closing, F.branch, F.turns,
  F.next_item}
local function load_step(id)
  local m = load(id)
  if not m or not is_step(m) then return nil end
  for i, value in ipairs(call('HMGET', key('task', id), unpack(STEP_FIELDS))) do m[STEP_FIELDS[i]] = value end
  return m
end
-- What a decision about a step rests on: what other decisions change, then what a child's end changes, too.
local function rests_on(m)
  return table.concat({m.st, m.tot or 0, m.x or 0, m.end_as or '', m.cx or 0, m.br or '', m.n or 0, m.nx or 0, m.w, m.f,
    m.c}, ' ')
end
-- Its step, or nil and what to answer. `seen` may leave out from the end what the decision does not rest on.
local function decided_step(term, entry, id, seen)
  if outdated(term) then return nil, {'stale'} end
  local m = load_step(id)
  if not m then
    answered(entry)
    return nil, {'missing'}
  end
  if (rests_on(m) .. ' '):sub(1, #seen + 1) ~= seen .. ' ' then return nil, {'changed'} end
  return m
end
-- Timers of a step: step (a length) and moment for what it waits for, limit for its timeout.
local function arm_timer(m, kind, at)
  if GROWS[kind] then grown(m, GROWS[kind]) end
  set_timer(kind, m.id, at)
  m.clk = (m.clk and m.clk .. ',' or '') .. kind .. '=' .. at
  call('HSET', key('task', m.id), F.clocks, m.clk)
end
-- Opened again: its timers are gone, so its clocks are. Its timeout in ms; nil without one.
local TIMERS = {'step', 'moment', 'limit', 'limit_ms'}
local function forget_timers(m)
  local limit = clock_of(m, 'limit_ms')
  if not m.clk then return nil end
  for _, name in ipairs(TIMERS) do m.clk = m.clk:gsub(name .. '=%d+,?', '') end
  m.clk = m.clk:gsub(',$', '')
  if m.clk == '' then m.clk = false end
  if m.clk then call('HSET', key('task', m.id), F.clocks, m.clk) else call('HDEL', key('task', m.id), F.clocks) end
  return limit
end
-- The timeout of a step: how long it is stays known, for when it is opened again.
local function arm_limit(m, limit)
  m.clk = (m.clk and m.clk .. ',' or '') .. 'limit_ms=' .. limit
  arm_timer(m, 'limit', now + limit)
end
-- PENDING -> RUNNING: it has children from now on, or waits for something that is none.
local function begin_step(m, limit)
  if m.st ~= T.PENDING then return end
  move(m, T.RUNNING)
  call('HSET', key('task', m.id), F.status, T.RUNNING, F.started, now)
  if limit > 0 then arm_limit(m, limit) end
  emit(m.run, 'step_running', m.id)
end
-- Stores one child of a step, which it tells of its end before all others.
local function put_child(t, no, run, up, parents)
  put(t, no, run, nil, parents)
  if up then call('RPUSH', key('dependents', t.id), up) end
  if is_unseen(t) then emit(run, 'step_created', t.id, t.rare:match('p (%S+)')) else emit(run, 'created', t.id) end
end

-- Variables of a workflow's frame; each change has a revision, and whoever waits for a condition is asked to look
-- again.
-- words: name, JSON, ...
local function set_variables(frame, run, words)
  call('HSET', key('variables', frame), unpack(words))
  local number = call('HINCRBY', key('frame', frame), F.frame.revision, 1)
  local names = {}
  for i = 1, #words, 2 do names[#names + 1] = words[i] end
  emit(run, 'variables_set', frame, table.concat(names, ' '))
  -- Many are asked in pieces, by the coordinator.
  if call('SCARD', key('condition_waiters', frame)) > 64 then
    call('HSET', key('frame', frame), F.frame.asking, '0')
    ask(frame, '', 'condition_waiters')
  else
    for _, id in ipairs(call('SMEMBERS', key('condition_waiters', frame))) do ask(id, '', 'changed') end
  end
  return number
end
-- A workflow, or a task that runs one: both are steered under their id.
local function is_workflow(m) return m.k == 'workflow' or m.queue == '%w' end
-- Signals are the workflow's, whatever definition in it a step is of. They wait in the order in which they came, for
-- the steps that wait for them in the order in which these came.
local function signal_place(m, name)
  local frame = m.queue ~= '%w' and m.fr or m.id
  return call('HGET', key('frame', frame), F.frame.workflow) .. ':' .. name
end
-- What nobody took of one that completed is taken by nobody any more; one that FAILED or was CANCELLED may be retried, and
-- then is given what came. Of very many names the signals go with it.
local function drop_inboxes(id)
  if call('SCARD', key('inboxes', id)) > 256 then return end
  for _, name in ipairs(call('SMEMBERS', key('inboxes', id))) do
    local place = id .. ':' .. name
    call('UNLINK', key('inbox', place), key('signal_waiters', place))
  end
  call('DEL', key('inboxes', id))
end
local function ask_listener(place)
  local id = call('EXISTS', key('inbox', place)) == 1 and call('LINDEX', key('signal_waiters', place), 0)
  if id then ask(id, '', 'signal') end
end
-- Whoever waited for a change or a signal does so no more, and takes the signal that it is told: whether that is next.
local function leave_waiting(m, frame, takes)
  call('SREM', key('condition_waiters', frame), m.id)
  local name = call('HGET', key('task', m.id), F.signal)
  if not name then return takes == '' end
  local place = signal_place(m, name)
  if takes ~= '' then
    if call('LINDEX', key('inbox', place), 0) ~= takes then return false end
    call('LPOP', key('inbox', place))
  end
  call('LREM', key('signal_waiters', place), 1, m.id)
  ask_listener(place)
  return true
end
