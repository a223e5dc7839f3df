-- Removes terminal tasks that nothing waits for; one that stands in very many lists leaves these first, in pieces.
-- args: late, opened, tasks{task, index}...
-- returns: {{'ok'} | {'leaving'} | {'step'} | {'conflict', status} | {'waited', id} | {'stale'} | {'settling', kind, id} | {'later'} | {'missing'} ...}
-- events: deleted
-- fields: late_edge, pinned, status, parent
-- late, opened: what these counters said before the caller looked for those that depend on the tasks, which were over.
-- step: it is a part of a workflow, which goes with its run alone.
-- stale: something came since that it may not have seen.
-- later: the tasks before it had so many dependents, edges and executions that this one is left to the next call.
local touched = 0
local seen = tonumber(A.late)
local any_opened = (call('GET', K.reopens) or '0') ~= A.opened
local function remove(id, index)
  if call('ZSCORE', K.erasing, id) then return {'leaving'} end
  local m = find(id)
  if not m then return {'missing'} end
  if not C.terminal[m.st] then return {'conflict', m.st} end
  local wait = unsettled(m)
  if wait then return wait end
  local v = call('HMGET', key('task', m.id), F.late_edge, F.pinned, F.parent)
  if v[3] then return {'step'} end
  if any_opened or tonumber(v[1] or 0) > seen then return {'stale'} end
  if touched >= 1024 then return {'later'} end
  -- Whoever did not look is refused as well, as far as one script can see.
  for _, d in ipairs(call('LRANGE', key('dependents', m.id), -256, -1)) do
    touched = touched + 1
    local st = call('HGET', key('task', d), F.status)
    if st and not C.terminal[st] then return {'waited', d} end
  end
  if tonumber(v[2] or 0) > 0 then return {'waited', ''} end
  if has_many_lists(m.id) then
    begin_leaving(m.id, index)
    return {'leaving'}
  end
  touched = touched + delete(m, index)
  return {'ok'}
end
local found = {}
for i = A.tasks.first, A.tasks.last, A.tasks.width do
  found[#found + 1] = remove(A.tasks[i].task, A.tasks[i].index)
end
return found
