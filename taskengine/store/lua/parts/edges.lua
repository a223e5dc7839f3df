-- Edges of a stored task that has not started: what leaving one and taking one on does to its counters.
-- uses: clock, task, put
local function drop_edge(m, d)
  local st = call('HGET', key('task', d), 'st')
  if not st then return end
  forget_edges(m.id, d)
  if st == T.FAILED then
    m.f = call('HINCRBY', key('task', m.id), 'f', -1)
  elseif st == T.CANCELLED then
    m.c = call('HINCRBY', key('task', m.id), 'c', -1)
  elseif st ~= T.COMPLETED then
    m.w = call('HINCRBY', key('task', m.id), 'w', -1)
  end
  unpin(d, m.run)
end
local function raise(m, counter, by)
  if by > 0 then m[counter] = call('HINCRBY', key('task', m.id), counter, by) end
end
local function add_edge(m, p)
  local v = call('HMGET', key('task', p.id), 'rel', 'undo')
  local w, f, c = edge({id = p.id, st = p.st, releasing = v[1], undoing = v[2], run = p.run}, m.id, m.run)
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
