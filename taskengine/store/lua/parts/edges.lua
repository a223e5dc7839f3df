-- Edges of a stored task that has not started: what leaving one and taking one on does to its counters.
-- uses: clock, task, put, counts
local function drop_edge(m, d)
  local v = call('HMGET', key('task', d), 'st', 'fb')
  if not v[1] then return end
  forget_edges(m.id, d)
  local counter = how_counted(v[1], v[2]) or 'w'
  if counter ~= 's' then m[counter] = call('HINCRBY', key('task', m.id), counter, -1) end
  unpin(d, m.run)
end
local function raise(m, counter, by)
  if by > 0 then m[counter] = call('HINCRBY', key('task', m.id), counter, by) end
end
local function add_edge(m, p)
  local v = call('HMGET', key('task', p.id), 'rel', 'undo', 'fb')
  local w, f, c = edge({id = p.id, st = p.st, releasing = v[1], undoing = v[2], run = p.run, fb = v[3]}, m.id, m.run)
  if p.run ~= m.run then call('HSET', key('task', m.id), 'xr', 1) end
  raise(m, 'w', w)
  raise(m, 'f', f)
  raise(m, 'c', c)
end
-- Replaces edges in one go; `gone` and `parents` are ids to leave and tasks to wait for.
local function change_edges(m, gone, parents)
  local on, left, has = call('HGET', key('task', m.id), 'on') or '', {}, {}
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
  call('HSET', key('task', m.id), 'on', table.concat(left, ' '))
end
