-- Removes a task with its executions, edges and indexes; how many other tasks and executions that touched.
-- uses: clock, put, execution, filters, timers
local function erase(id, index)
  local v = call('HMGET', key('task', id), 'st', 'no', 'on', 'att', 'key', 'big', 'rule')
  local no = tonumber(v[2])
  for attempt = 1, tonumber(v[4] or 0) do
    local eid = execution_id(id, attempt)
    call('DEL', key('exec', eid), key('logs', eid), key('payload', eid))
  end
  -- Whoever COMPLETED stands in no list that anybody reads again, unless its rule let it go before its dependencies.
  local touched = tonumber(v[4] or 0)
  if (v[1] ~= T.COMPLETED or v[7]) and v[3] then
    forget_edges(id, v[3])
    touched = touched + (#v[3] + 1) / 37
  end
  clear_code(no)
  for name in index:gmatch('[^\n]+') do unmark(no, name) end
  if v[5] and call('GET', key('idem', v[5])) == id then call('DEL', key('idem', v[5])) end
  drop_timers(id)
  call('ZREM', K.dead, id)
  call('DEL', key('task', id), key('deps', id), key('done', id))
  if v[6] then call('DEL', key('payload', v[6])) end
  return touched
end
