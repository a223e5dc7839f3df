-- A task's fields that verbs decide by, and the move from one status to another.
-- fields: status, arrival, run, queue, score, attempts, waiting, failed, skipped, held, due, batch, cancel, awaited
-- fields: crosses_runs, parked, granted, clocks, name, doc, depends_on, retries, large_input, timeout, alone, pinned
-- fields: batch.state
-- uses: clock, codes
-- finally: flush_counts
local function decode(id, v)
  if not v[1] then return nil end
  return {id = id, st = v[1], no = tonumber(v[2]), run = v[3], lane = v[4], score = v[5], att = tonumber(v[6] or 0),
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
    F.name, F.doc, F.depends_on, F.retries, F.large_input, F.timeout, F.clocks, F.alone)
  if not v[1] then return nil end
  return {id = id, st = v[1], no = tonumber(v[2]), run = v[3], lane = v[4], score = v[5], att = tonumber(v[6] or 0),
    granted = v[7], name = v[8], doc = v[9], on = v[10], retries = v[11], big = v[12], timeout = v[13],
    clk = v[14], al = v[15]}
end
local function load_ending(id)
  local v = call('HMGET', key('task', id), F.status, F.arrival, F.run, F.attempts, F.cancel, F.awaited,
    F.crosses_runs, F.clocks)
  return {id = id, st = v[1], no = tonumber(v[2]), run = v[3], att = tonumber(v[4]), cq = v[5], wt = v[6], xr = v[7],
    clk = v[8]}
end
local function member(m) return string.format('%012d', m.no) .. m.id end
-- A step of a workflow that no worker runs: its lane begins with '%', which no capability does. It stands in no listing and
-- in no count of tasks. ('%w' is a task of a client that runs a workflow: a step that is seen.)
local function is_step(m) return m.lane and m.lane:byte() == 37 end
local function is_unseen(m) return is_step(m) and m.lane ~= '%w' end
local moved = {}
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
-- A task of another run that is not over depends on it: one reason more to keep it.
local function pin(id, run)
  local owner = call('HGET', key('task', id), F.run)
  if owner and owner ~= run then call('HINCRBY', key('task', id), F.pinned, 1) end
end
-- A task of another run that depends on it is over, or gone: one reason less to keep it when its own run is pruned.
local function unpin(id, run)
  local owner = call('HGET', key('task', id), F.run)
  if owner and owner ~= run and call('HINCRBY', key('task', id), F.pinned, -1) == 0 then
    call('HDEL', key('task', id), F.pinned)
  end
end
-- Whether a graph may still come to nothing: its tasks are nobody's yet.
local function is_open(batch)
  return batch and call('HGET', key('batch', batch), F.batch.state) ~= 'committed'
end
