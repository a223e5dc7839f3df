-- Records of tasks: stored, staged, taken over and erased.
-- row staged: id, sha, key, name, doc, on, queue, score, index, hold, due, timeout, big, rare
-- fields: arrival, depends_on, key, crosses_runs, run, large_input, filters, sha, batch, batch.state, status, queue
-- fields: score, waiting, failed, skipped, held, due, name, doc, timeout, created, key_end, rule, deleting
-- fields: frame.definitions, attempts, run.total

-- Stores one task: record, place among the dependents of its dependencies, list indexes, timer, idempotency key.
local function read_task(at)
  local ARGV = ARGV  -- a local is found faster
  return A.staged[at]
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
  call('DEL', key('task', id), key('dependents', id))
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
-- Stores task t under arrival `no`.
local function put(t, no, run, batch, parents)
  local w, f, c, foreign = add_edges(parents, t.id, run)
  if batch then w = w + 1 end
  if t.rare:find('rule ', 1, true) then w = w - C.ruled end
  local fields = {F.status, T.PENDING, F.arrival, no, F.run, run, F.queue, t.queue, F.score, t.score}
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

-- Removes a task with its executions, edges and indexes; how many other tasks and executions that touched.
-- Whoever COMPLETED stands in no list that anybody reads again, unless its rule let it go before its dependencies.
local function stands_in_lists(st, rule)
  return st ~= T.COMPLETED or rule
end
-- Whether it stands in the lists of more parents than a script may touch, so that it must leave these first.
local function has_many_lists(id)
  local v = call('HMGET', key('task', id), F.status, F.rule)
  return stands_in_lists(v[1], v[2]) and call('HSTRLEN', key('task', id), 'on') > left * 37
end
-- From now on it is nobody's: found by none, and gone when it left the last list, whoever goes on with it.
local function begin_leaving(id, index)
  call('HSET', key('task', id), F.deleting, 0, F.filters, index)
  call('ZADD', K.erasing, now, id)
end
-- Takes it out of the next lists; whether it left all of them.
local function leave_lists(id)
  local v = call('HMGET', key('task', id), F.depends_on, F.deleting)
  local piece, cursor, all = parents_piece(v[1] or '', tonumber(v[2]))
  forget_edges(id, piece)
  call('HSET', key('task', id), F.deleting, cursor)
  return all
end
-- What only a step has. A definition goes with the last workflow that uses it.
local function erase_step(id)
  for digest in (call('HGET', key('frame', id), F.frame.definitions) or ''):gmatch('%S+') do
    if call('SREM', key('definition_users', digest), id) == 1 and call('EXISTS', key('definition_users', digest)) == 0 then
      call('EXPIRE', key('definition', digest), 3600)
    end
  end
  for _, name in ipairs(call('SMEMBERS', key('inboxes', id))) do
    local place = id .. ':' .. name
    call('UNLINK', key('inbox', place), key('signal_waiters', place))
  end
  call('UNLINK', key('children', id), key('frame', id), key('variables', id), key('condition_waiters', id), key('received_signals', id),
    key('inboxes', id), key('items', id))
  call('ZREM', K.workflows, id)
end
local function erase(id, index)
  local v = call('HMGET', key('task', id), F.status, F.arrival, F.depends_on, F.attempts, F.key, F.large_input,
    F.deleting, F.rule, F.queue)
  local no = tonumber(v[2])
  for attempt = 1, tonumber(v[4] or 0) do
    local eid = execution_id(id, attempt)
    call('DEL', key('exec', eid), key('logs', eid), key('payload', eid), key('artifacts', eid),
      key('artifact_bodies', eid))
  end
  local touched = tonumber(v[4] or 0)
  if v[7] then
    call('ZREM', K.erasing, id)
  elseif stands_in_lists(v[1], v[8]) and v[3] then
    forget_edges(id, v[3])
    touched = touched + (#v[3] + 1) / 37
  end
  clear_code(no)
  for name in index:gmatch('[^\n]+') do unmark(no, name) end
  if v[5] and call('GET', key('idem', v[5])) == id then call('DEL', key('idem', v[5])) end
  drop_timers(id)
  call('ZREM', K.dead, id)
  call('ZREM', K.deadlines, id)
  call('DEL', key('task', id), key('dependents', id), key('done', id))
  if v[6] then call('DEL', key('payload', v[6])) end
  if is_step({queue = v[9]}) then erase_step(id) end
  return touched
end
-- Erases a task on a client's word; what that touched.
local function delete(m, index)
  call('HINCRBY', K.counts, m.st, -1)
  call('HINCRBY', key('run', m.run), F.run.total, -1)
  emit(m.run, 'deleted', m.id)
  return erase(m.id, index)
end
