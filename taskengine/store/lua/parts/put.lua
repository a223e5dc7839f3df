-- Stores one task: record, place among the dependents of its dependencies, list indexes, timer, idempotency key.
-- row staged: id, sha, key, name, doc, on, lane, score, index, hold, due, timeout, big, rare
-- fields: releasing, undoing, arrival, depends_on, key, crosses_runs, run, large_input, filters, sha, batch, status
-- fields: deleting, failed_before, late_edge, pinned, queue, score, waiting, failed, skipped, held, due, name, doc
-- fields: timeout, created, key_end, batch.state, run.name, run.created_by, run.created, run.total, run.open
-- fields: run.finished
-- uses: clock, task, filters, codes, timers, deadline
-- finally: flush_marks
local function read_task(at)
  local ARGV = ARGV  -- a local is found faster
  return A.staged[at]
end
-- Nobody is at this arrival any more.
local function clear_code(no)
  codes[no] = 0
  emptied[math.floor(no / 4096)] = true
end
-- A cursor behind the removed place moves along, or it would skip the dependent that slips into its gap.
local function forget_edges(id, on)
  for d in (on or ''):gmatch('%S+') do
    local v = call('HMGET', key('task', d), F.releasing, F.undoing)
    local cursor = tonumber(v[1] or v[2] or 0)
    local at = cursor > 0 and call('LPOS', key('deps', d), id)
    if at and at < cursor then call('HINCRBY', key('task', d), v[1] and F.releasing or F.undoing, -1) end
    call('LREM', key('deps', d), -1, id)  -- swept newest first: from the tail
  end
end
-- Removes a task that is only staged, with all that staging did for it.
local function unstage(id, kept_payload)
  local v = call('HMGET', key('task', id), F.arrival, F.depends_on, F.key, F.crosses_runs, F.run, F.large_input,
    F.filters)
  local no = tonumber(v[1])
  clear_code(no)
  for name in (v[7] or ''):gmatch('[^\n]+') do unmark(no, name) end
  forget_edges(id, v[2])
  if v[4] then
    for d in v[2]:gmatch('%S+') do unpin(d, v[5]) end
  end
  if v[3] and call('GET', key('idem', v[3])) == id then call('DEL', key('idem', v[3])) end
  drop_timers(id)
  call('ZREM', K.deadlines, id)
  call('DEL', key('task', id), key('deps', id))
  if v[6] and v[6] ~= kept_payload then call('DEL', key('payload', v[6])) end
end
-- Who is there under the id or the key: nil = nobody, else {'exists', id} or {'conflict', field, id}; and a rival whose
-- graph is not committed, which the newcomer takes over. `no`: the place where an earlier copy of this very call put t.
local function known(t, batch, no)
  local rival = {}
  local v = call('HMGET', key('task', t.id), F.sha, F.batch, F.arrival)
  if v[1] and is_open(v[2]) and v[2] ~= batch then
    rival.id, rival.batches = t.id, {v[2]}
  elseif v[1] then
    if v[1] == t.sha and (v[2] ~= batch or tonumber(v[3]) == no) then return {'exists', t.id} end
    return {'conflict', 'id', t.id}
  end
  local owner = t.key ~= '' and call('GET', key('idem', t.key))
  local o = owner and call('HMGET', key('task', owner), F.sha, F.batch)
  if not o or not o[1] then return nil, rival end
  if is_open(o[2]) and o[2] ~= batch then
    rival.batches = rival.batches or {}
    table.insert(rival.batches, o[2])
    return nil, rival
  end
  if o[1] == t.sha then return {'exists', owner} end
  return {'conflict', 'idempotency_key', owner}
end
-- Takes over what known() found; whoever staged it hears of it at the commit.
local function take_over(rival, t)
  for _, batch in ipairs(rival.batches or {}) do call('HSET', key('batch', batch), F.batch.state, 'taken') end
  if rival.id then unstage(rival.id, t.big) end
end
-- The stored parents of t as the edges need them, or nil and the first id that is not there.
local function parents_of(t, batch)
  local parents = {}
  for d in t.on:gmatch('%S+') do
    local p = call('HMGET', key('task', d), F.status, F.batch, F.releasing, F.run, F.undoing, F.deleting)
    if not p[1] or p[6] then return nil, d end
    if p[2] ~= batch and is_open(p[2]) then return nil, d end
    parents[#parents + 1] = {id = d, st = p[1], releasing = p[3], run = p[4], undoing = p[5],
      fb = p[1] == T.CANCELLED and call('HGET', key('task', d), F.failed_before)}
  end
  return parents
end
-- Whoever deletes p looked for those that depend on it before, and did not see this one. One in another run pins it.
local late = nil
local function note_late(id)
  late = late or call('INCR', K.late)
  call('HSET', key('task', id), F.late_edge, late)
end
-- Registers one edge; returns what it adds to waiting, failed and skipped of the dependent.
local function edge(p, id, run)
  if p.run ~= run then
    call('HINCRBY', key('task', p.id), F.pinned, 1)
  elseif C.terminal[p.st] then
    note_late(p.id)
  end
  if p.st == T.COMPLETED then return 0, 0, 0 end
  if p.undoing then
    -- Before the cursor: it never heard of the end that is being taken back.
    call('LPUSH', key('deps', p.id), id)
    call('HINCRBY', key('task', p.id), F.undoing, 1)
    return 1, 0, 0
  end
  call('RPUSH', key('deps', p.id), id)
  if p.releasing or not C.terminal[p.st] then return 1, 0, 0 end
  if p.st == T.FAILED or p.fb then return 0, 1, 0 end
  return 0, 0, 1
end
-- Registers edges; what they add up to, and whether one comes from another run.
local function add_edges(parents, id, run)
  local w, f, c, foreign = 0, 0, 0, false
  for _, p in ipairs(parents) do
    local dw, df, dc = edge(p, id, run)
    w, f, c, foreign = w + dw, f + df, c + dc, foreign or p.run ~= run
  end
  return w, f, c, foreign
end
-- Writes raw ids at the arrivals [first, first + n); in two segments when they cross a border.
local function place_ids(first, n, raw)
  local seg = math.floor(first / 4096)
  local offset = first - seg * 4096
  local fits = math.min(n, 4096 - offset)
  call('SETRANGE', key('ids', seg), offset * 16, raw:sub(1, fits * 16))
  if fits < n then call('SETRANGE', key('ids', seg + 1), 0, raw:sub(fits * 16 + 1)) end
end
-- List filter -> arrivals that it shall find, in order; and the lists of them by the text that names the filters.
local marks = {}
local marks_of = {}
local function note_marks(no, index)
  local lists = marks_of[index]
  if not lists then
    lists = {}
    for name in index:gmatch('[^\n]+') do
      marks[name] = marks[name] or {}
      lists[#lists + 1] = marks[name]
    end
    marks_of[index] = lists
  end
  for _, list in ipairs(lists) do list[#list + 1] = no end
end
-- How many arrivals from place `i` on follow each other without a gap, 32 at most (what one field of a command may
-- hold), inside one segment.
local function run_length(list, i)
  local first, n = list[i], 1
  local room = math.min(32, 4096 - first % 4096)
  while n < room and list[i + n] == first + n do n = n + 1 end
  return n
end
-- One command for each filter and segment: a graph's chunk has few filters, and its arrivals are neighbours.
local function flush_marks()
  for name, list in pairs(marks) do
    local commands, i = {}, 1
    while i <= #list do
      local seg, n = math.floor(list[i] / 4096), run_length(list, i)
      local words = commands[seg] or {}
      commands[seg] = words
      local k = #words
      words[k + 1], words[k + 2], words[k + 3], words[k + 4] = 'SET', 'u' .. n, list[i] - seg * 4096, 2 ^ n - 1
      i = i + n
    end
    for seg, words in pairs(commands) do call('BITFIELD', key('bits', name .. ':' .. seg), unpack(words)) end
  end
end
-- Stores task t under arrival `no`.
local function put(t, no, run, batch, parents)
  local w, f, c, foreign = add_edges(parents, t.id, run)
  if batch then w = w + 1 end
  if t.rare:find('rule ', 1, true) then w = w - C.ruled end
  local fields = {F.status, T.PENDING, F.arrival, no, F.run, run, F.queue, t.lane, F.score, t.score}
  local function set(name, value, unless)
    if value and value ~= unless then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  local due = t.due ~= '' and tonumber(t.due) > now and t.due or ''
  set(F.waiting, w, 0) set(F.failed, f, 0) set(F.skipped, c, 0) set(F.batch, batch) set(F.filters, batch and t.index)
  set(F.held, t.hold, '') set(F.due, due, '') set(F.crosses_runs, foreign and 1 or nil)
  set(F.depends_on, t.on, '') set(F.name, t.name, '') set(F.doc, t.doc, '{}') set(F.timeout, t.timeout, '')
  for name, value in t.rare:gmatch('(%S+) (%S+)') do set(name, value) end
  set(F.large_input, t.big, '') set(F.sha, t.sha, '') set(F.key, t.key, '') set(F.created, now)
  set(F.key_end, t.key ~= '' and C.key_ms > 0 and now + C.key_ms)
  call('HSET', key('task', t.id), unpack(fields))
  if t.big ~= '' then call('PERSIST', key('payload', t.big)) end
  if t.key ~= '' then
    call('SET', key('idem', t.key), t.id)
    if C.key_ms > 0 then call('PEXPIRE', key('idem', t.key), C.key_ms) end
  end
  if due ~= '' then set_timer('schedule', t.id, due) end
  local expires = t.rare:match('exp=(%d+)')
  if expires then set_timer('expire', t.id, expires) end
  watch_deadline(t.id, t.score)
  set_code(no, is_unseen(t) and 'step' or batch and 'staged' or T.PENDING)
  note_marks(no, t.index)
end
-- Several tasks, or a name, make a run one of the graphs, by the moment of its first task. Its first name stays.
local function list_graph(run, name, by)
  if name ~= '' then call('HSETNX', key('run', run), F.run.name, name) end
  if by ~= '' then call('HSET', key('run', run), F.run.created_by, by) end
  call('ZADD', K.graphs, 'NX', call('HGET', key('run', run), F.run.created), run)
end
-- name, by: of a graph, or ''. A lone task's run is in no list, and pays nothing for there being one. tasks: how many of the
-- n are tasks, nil = all; steps of a workflow keep a run open and stand in no count.
local function open_run(run, n, name, by, tasks)
  local is_new = call('HSETNX', key('run', run), F.run.created, now) == 1
  if is_new then call('ZADD', K.runs, now, run) end
  local total = call('HINCRBY', key('run', run), F.run.total, n)
  if n > 0 and (name ~= '' or (total > 1 and total - n < 2)) then list_graph(run, name, is_new and by or '') end
  call('HINCRBY', key('run', run), F.run.open, n)
  if call('ZREM', K.finished, run) == 1 then call('HDEL', key('run', run), F.run.finished) end
  call('HINCRBY', K.counts, T.PENDING, tasks or n)
end
