-- Stores one task: record, place among the dependents of its dependencies, list indexes, timer, idempotency key.
-- uses: clock, event, index, task, ready
local STRIDE = 13
local function read_task(at)
  local a = ARGV
  return {id = a[at], sha = a[at + 1], key = a[at + 2], name = a[at + 3], doc = a[at + 4], on = a[at + 5],
    lane = a[at + 6], score = a[at + 7], index = a[at + 8], hold = a[at + 9], due = a[at + 10], timeout = a[at + 11], big = a[at + 12]}
end
-- Tells every caller of the older batch that a newer one took its ids.
local function take_over(batch)
  call('HSET', key('batch', batch), 'state', 'taken')
end
-- A cursor behind the removed place moves along, or it would skip the dependent that slips into its gap.
local function forget_edges(id, on)
  for d in (on or ''):gmatch('%S+') do
    local v = call('HMGET', key('task', d), 'rel', 'undo')
    local cursor = tonumber(v[1] or v[2] or 0)
    local at = cursor > 0 and call('LPOS', key('deps', d), id)
    if at and at < cursor then call('HINCRBY', key('task', d), v[1] and 'rel' or 'undo', -1) end
    call('LREM', key('deps', d), 1, id)
  end
end
local function forget_marks(no, index)
  unmark(no, 's:' .. T.PENDING)
  unmark(no, 'all')
  for name in (index or ''):gmatch('[^\n]+') do unmark(no, name) end
end
-- Whether the id or key is already somebody: nil = free, else {'exists', id} or {'conflict', field, id}.
local function known(t, batch)
  local v = call('HMGET', key('task', t.id), 'sha', 'batch', 'on', 'no', 'ix')
  if v[1] then
    local state = v[2] and call('HGET', key('batch', v[2]), 'state')
    if not v[2] or state == 'committed' then
      if v[1] == t.sha then return {'exists', t.id} end
      return {'conflict', 'id', t.id}
    end
    if v[2] == batch then return {'conflict', 'id', t.id} end
    take_over(v[2])
    forget_edges(t.id, v[3])
    forget_marks(tonumber(v[4]), v[5])
    call('DEL', key('task', t.id), key('deps', t.id))
  end
  if t.key == '' then return nil end
  local owner = call('GET', key('idem', t.key))
  if not owner then return nil end
  local o = call('HMGET', key('task', owner), 'sha', 'batch')
  if not o[1] then return nil end
  local state = o[2] and call('HGET', key('batch', o[2]), 'state')
  if not o[2] or state == 'committed' then
    if o[1] == t.sha then return {'exists', owner} end
    return {'conflict', 'idempotency_key', owner}
  end
  if o[2] ~= batch then return take_over(o[2]) end
  if o[1] == t.sha then return {'exists', owner} end
  return {'conflict', 'idempotency_key', owner}
end
-- The stored parents of t as the edges need them, or nil and the first id that is not there.
local function parents_of(t, batch)
  local parents = {}
  for d in t.on:gmatch('%S+') do
    local p = call('HMGET', key('task', d), 'st', 'batch', 'rel', 'run', 'undo')
    if not p[1] then return nil, d end
    if p[2] and p[2] ~= batch and call('HGET', key('batch', p[2]), 'state') ~= 'committed' then return nil, d end
    parents[#parents + 1] = {id = d, st = p[1], releasing = p[3], run = p[4], undoing = p[5]}
  end
  return parents
end
-- Registers one edge; returns what it adds to waiting, failed and cancelled of the dependent.
local function edge(p, id, run)
  if p.run ~= run then call('HINCRBY', key('task', p.id), 'pin', 1) end
  if p.st == T.COMPLETED then return 0, 0, 0 end
  if p.undoing then
    -- Before the cursor: it never heard of the end that is being taken back.
    call('LPUSH', key('deps', p.id), id)
    call('HINCRBY', key('task', p.id), 'undo', 1)
    return 1, 0, 0
  end
  call('RPUSH', key('deps', p.id), id)
  if p.st == T.FAILED and not p.releasing then return 0, 1, 0 end
  if p.st == T.CANCELLED and not p.releasing then return 0, 0, 1 end
  return 1, 0, 0
end
-- The numbers [first, first + n) and the raw ids at their places; two segments when they cross a border.
local function number_tasks(n, raw)
  local first = call('INCRBY', K.arrivals, n) - n + 1
  local seg = math.floor(first / 4096)
  local offset = first - seg * 4096
  local fits = math.min(n, 4096 - offset)
  call('SETRANGE', key('ids', seg), offset * 16, raw:sub(1, fits * 16))
  if fits < n then call('SETRANGE', key('ids', seg + 1), 0, raw:sub(fits * 16 + 1)) end
  return first
end
-- Stores task t under arrival `no`.
local function put(t, no, run, batch, parents)
  local w, f, c, foreign = batch and 1 or 0, 0, 0, false
  for _, p in ipairs(parents) do
    local dw, df, dc = edge(p, t.id, run)
    w, f, c, foreign = w + dw, f + df, c + dc, foreign or p.run ~= run
  end
  local fields = {'st', T.PENDING, 'no', no, 'run', run, 'lane', t.lane, 'sc', t.score}
  local function set(name, value, unless)
    if value and value ~= unless then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  set('w', w, 0) set('f', f, 0) set('c', c, 0) set('batch', batch) set('ix', batch and t.index)
  set('hold', t.hold, '') set('due', t.due, '') set('xr', foreign and 1 or nil)
  set('on', t.on, '') set('nm', t.name, '') set('doc', t.doc, '{}') set('to', t.timeout, '')
  set('big', t.big, '') set('sha', t.sha, '') set('key', t.key, '') set('cr', now)
  call('HSET', key('task', t.id), unpack(fields))
  if t.big ~= '' then call('PERSIST', key('payload', t.big)) end
  if t.key ~= '' then call('SET', key('idem', t.key), t.id) end
  if t.due ~= '' then call('ZADD', K.timers, t.due, 'schedule:' .. t.id) end
  mark(no, 's:' .. T.PENDING, 1)
  mark(no, 'all', 1)
  for name in t.index:gmatch('[^\n]+') do mark(no, name, 1) end
end
local function open_run(run, n)
  if call('HSETNX', key('run', run), 'cr', now) == 1 then call('ZADD', K.runs, now, run) end
  call('HINCRBY', key('run', run), 'total', n)
  call('HINCRBY', key('run', run), 'open', n)
  if call('ZREM', K.finished, run) == 1 then call('HDEL', key('run', run), 'fin') end
  call('HINCRBY', K.counts, T.PENDING, n)
end
