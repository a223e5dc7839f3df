-- Removes a task with its executions, edges and indexes; how many other tasks and executions that touched.
-- fields: status, rule, deleting, filters, depends_on, arrival, attempts, key, large_input, queue, frame.definition
-- fields: run.total
-- uses: clock, event, put, execution, filters, timers, pins
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
  local digest = call('HGET', key('frame', id), F.frame.definition)
  if digest and call('SREM', key('uses', digest), id) == 1 and call('EXISTS', key('uses', digest)) == 0 then
    call('EXPIRE', key('def', digest), 3600)
  end
  call('UNLINK', key('kids', id), key('frame', id), key('vars', id), key('ears', id))
  call('ZREM', K.workflows, id)
end
local function erase(id, index)
  local v = call('HMGET', key('task', id), F.status, F.arrival, F.depends_on, F.attempts, F.key, F.large_input,
    F.deleting, F.rule, F.queue)
  local no = tonumber(v[2])
  for attempt = 1, tonumber(v[4] or 0) do
    local eid = execution_id(id, attempt)
    call('DEL', key('exec', eid), key('logs', eid), key('payload', eid))
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
  call('DEL', key('task', id), key('deps', id), key('done', id))
  if v[6] then call('DEL', key('payload', v[6])) end
  if is_step({lane = v[9]}) then erase_step(id) end
  return touched
end
-- Erases a task on a client's word; what that touched.
local function delete(m, index)
  call('HINCRBY', K.counts, m.st, -1)
  call('HINCRBY', key('run', m.run), F.run.total, -1)
  emit(m.run, 'deleted', m.id)
  return erase(m.id, index)
end
