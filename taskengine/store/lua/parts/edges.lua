-- Edges of a stored task that has not started: what leaving one and taking one on does to its counters.
-- fields: status, failed_before, waiting, releasing, undoing, crosses_runs, failed, skipped, depends_on
-- uses: clock, task, put, counts
local function drop_edge(m, d)
  local v = call('HMGET', key('task', d), F.status, F.failed_before)
  if not v[1] then return end
  forget_edges(m.id, d)
  local counter = how_counted(v[1], v[2]) or F.waiting
  if counter ~= 's' then m[counter] = call('HINCRBY', key('task', m.id), counter, -1) end
  unpin(d, m.run)
end
local function raise(m, counter, by)
  if by > 0 then m[counter] = call('HINCRBY', key('task', m.id), counter, by) end
end
local function add_edge(m, p)
  local v = call('HMGET', key('task', p.id), F.releasing, F.undoing, F.failed_before)
  local w, f, c = edge({id = p.id, st = p.st, releasing = v[1], undoing = v[2], run = p.run, fb = v[3]}, m.id, m.run)
  if p.run ~= m.run then call('HSET', key('task', m.id), F.crosses_runs, 1) end
  raise(m, F.waiting, w)
  raise(m, F.failed, f)
  raise(m, F.skipped, c)
end
-- Replaces edges in one go; `gone` and `parents` are ids to leave and tasks to wait for.
local function change_edges(m, gone, parents)
  local on, left, has = call('HGET', key('task', m.id), F.depends_on) or '', {}, {}
  for d in on:gmatch('%S+') do
    if gone[d] then
      drop_edge(m, d)
    else
      left[#left + 1] = d
      has[d] = true
    end
  end
  for _, p in ipairs(parents) do
    if not has[p.id] then
      add_edge(m, p)
      left[#left + 1] = p.id
    end
  end
  call('HSET', key('task', m.id), F.depends_on, table.concat(left, ' '))
end
