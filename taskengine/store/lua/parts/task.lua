-- Tasks: what verbs decide by, moves from one status to another, who may change one, and its history.
-- fields: status, arrival, run, queue, score, attempts, waiting, failed, skipped, held, due, batch, cancel, awaited
-- fields: crosses_runs, parked, granted, clocks, name, doc, depends_on, retries, large_input, timeout, rule
-- fields: extra, releasing, undoing, pinning, deleting, leader.term, leader.leads_until, batch.state

-- Milliseconds since 1970 on the server's clock, the only clock of the engine.
local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Appends to the history of a run; the second half of the entry id is a gap-free sequence of the run. One field holds
-- the words: event, task or '-', ms, note. (A field for each costs twice the time and as many bytes.)
-- A long history loses its oldest part a hundredth at a time, and says so.
-- lazy
local function trim(run, last)
  call('XTRIM', key('events', run), 'MINID', '0-' .. (last - C.max_events + 1))
  call('XADD', key('events', run), '0-*', 'e', 'trimmed - ' .. now .. ' before ' .. (last - C.max_events + 1))
end
local function emit(run, what, task, note)
  local id = call('XADD', key('events', run), '0-*', 'e', what .. ' ' .. task .. ' ' .. now .. ' ' .. (note or ''))
  local number = tonumber(id:sub(3))
  if number > C.max_events and number % C.trim_every == 0 then trim(run, number) end
end

-- Fences a coordinator whose term is over or lapsed; an empty term is a client, which no term binds.
-- The lapse counts too: what a frozen server finds in its sockets when it thaws was asked by a leader that could not
-- know of the frost, and by then every lease looks lapsed.
local function outdated(term)
  if term == '' then return false end
  local l = call('HMGET', K.leader, F.leader.term, F.leader.leads_until)
  return l[1] ~= term or tonumber(l[2] or 0) <= now
end

-- A task's fields that verbs decide by, and the move from one status to another.
local function decode(id, v)
  if not v[1] then return nil end
  return {id = id, st = v[1], no = tonumber(v[2]), run = v[3], queue = v[4], score = v[5], att = tonumber(v[6] or 0),
    w = tonumber(v[7] or 0), f = tonumber(v[8] or 0), c = tonumber(v[9] or 0), hold = v[10], due = v[11],
    batch = v[12], cq = v[13], wt = v[14], xr = v[15], park = v[16], granted = v[17], clk = v[18]}
end
local function load(id)
  return decode(id, call('HMGET', key('task', id), F.status, F.arrival, F.run, F.queue, F.score, F.attempts,
    F.waiting, F.failed, F.skipped, F.held, F.due, F.batch, F.cancel, F.awaited, F.crosses_runs, F.parked, F.granted,
    F.clocks))
end
-- Each field asked for costs as much as a short command, so the two loads of a report ask for what they need: a task
-- that starts, with what its worker is told (documents may be large), and one that ends.
local function load_starting(id)
  local v = call('HMGET', key('task', id), F.status, F.arrival, F.run, F.queue, F.score, F.attempts, F.granted,
    F.name, F.doc, F.depends_on, F.retries, F.large_input, F.timeout, F.clocks, F.extra)
  if not v[1] then return nil end
  return {id = id, st = v[1], no = tonumber(v[2]), run = v[3], queue = v[4], score = v[5], att = tonumber(v[6] or 0),
    granted = v[7], name = v[8], doc = v[9], on = v[10], retries = v[11], big = v[12], timeout = v[13],
    clk = v[14], extra = v[15]}
end
local function load_ending(id)
  local v = call('HMGET', key('task', id), F.status, F.arrival, F.run, F.attempts, F.cancel, F.awaited,
    F.crosses_runs, F.clocks, F.extra)
  return {id = id, st = v[1], no = tonumber(v[2]), run = v[3], att = tonumber(v[4]), cq = v[5], wt = v[6], xr = v[7],
    clk = v[8], extra = v[9]}
end
local function member(m) return string.format('%012d', m.no) .. m.id end
-- A step of a workflow that no worker runs: its queue begins with '%', which no capability does. It stands in no
-- listing and in no count of tasks. ('%w' is a task of a client that runs a workflow: a step that is seen.)
local function is_step(m) return m.queue and m.queue:byte() == 37 end
local function is_unseen(m) return is_step(m) and m.queue ~= '%w' end
local moved = {}
-- at end
local function flush_counts()
  for status, n in pairs(moved) do
    if n ~= 0 then call('HINCRBY', K.counts, status, n) end
  end
end
local function move(m, to)
  if is_unseen(m) then
    m.st = to
    return
  end
  moved[m.st] = (moved[m.st] or 0) - 1
  moved[to] = (moved[to] or 0) + 1
  set_code(m.no, to)
  m.st = to
end
-- Whether a graph may still come to nothing: its tasks are nobody's yet.
local function is_open(batch)
  return batch and call('HGET', key('batch', batch), F.batch.state) ~= 'committed'
end

-- How a task that is over counts for those that depend on it: s succeeded, f failed, c skipped. One that could not
-- start because of a failure is CANCELLED and counts as failed; its field failed_before says so. Two of these are its
-- counters.
local HOW = {[T.COMPLETED] = 's', [T.FAILED] = F.failed, [T.CANCELLED] = F.skipped}
local function how_counted(st, fb)
  return fb and F.failed or HOW[st]
end

-- What a decision about a task rests on: its counters, its dependencies and its trigger rule, in one word each.
local function revision(m)
  local v = call('HMGET', key('task', m.id), F.rule, F.depends_on)
  return m.w .. ' ' .. m.f .. ' ' .. m.c .. ' ' .. #(v[2] or '') .. ' ' .. (v[1] or '')
end

-- Who may change a task now: nobody while its graph's commit waits fall or its dependents are still being told.
-- Committed batches still settle: their commit waits fall in pieces; nobody else may move such a task meanwhile.
local function visible(m) return not is_open(m.batch) end
local function unsettled(m)
  if m.batch then return {'settling', 'batch', m.batch} end
  if m.telling == nil then
    local v = call('HMGET', key('task', m.id), F.releasing, F.undoing, F.pinning)
    m.telling = v[1] or v[2] or v[3]
  end
  if m.telling then return {'settling', 'release', m.id} end
end
local function find_any(id)
  local m = load(id)
  if not m or not visible(m) then return nil end
  local v = call('HMGET', key('task', id), F.deleting, F.releasing, F.undoing, F.pinning)
  m.telling = v[2] or v[3] or v[4]
  return not v[1] and m or nil
end
-- What a client may say something to: a step is its workflow's, and whoever tells it so looks for it by himself.
local function find(id)
  local m = find_any(id)
  return m and not is_unseen(m) and m or nil
end

-- A decision about a task, as long as what it rests on stands.
-- The decision's entry goes with whatever answers it.
local function answered(entry)
  if entry ~= '' then call('XDEL', K.decisions, entry) end
end
-- Its PENDING task, or nil and what to answer: the term is over, the task is gone, or it changed.
local function decided(term, entry, id, rests_on)
  if outdated(term) then return nil, {'stale'} end
  local m = load(id)
  if not m then
    answered(entry)
    return nil, {'missing'}
  end
  if m.st ~= T.PENDING or revision(m) ~= rests_on then return nil, {'changed'} end
  return m
end
