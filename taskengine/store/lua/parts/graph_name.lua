-- Whole graphs that an idempotency key names: as long as their run is whole, or as long as keys count.
-- fields: graph.sha, graph.run, run.created, run.pruned
-- uses: clock
local function named_graph(name)
  local v = call('HMGET', key('graph', name), F.graph.sha, F.graph.run)
  if not v[1] then return nil end
  local r = call('HMGET', key('run', v[2]), F.run.created, F.run.pruned)
  if r[1] and not r[2] then return {sha = v[1], run = v[2]} end
end
local function name_graph(name, sha, run, batch)
  call('HSET', key('graph', name), F.graph.sha, sha, F.graph.run, run)
  call('RENAME', key('order', batch), key('order', name))
  for _, kept in ipairs({key('graph', name), key('order', name)}) do
    if C.key_ms > 0 then call('PEXPIRE', kept, C.key_ms) else call('PERSIST', kept) end
  end
  call('RPUSH', key('named', run), name)
end
-- With a run that goes; whether none are left of it.
local function forget_graphs(run)
  local names = call('LRANGE', key('named', run), 0, 63)
  for _, name in ipairs(names) do
    -- Its time may have been over, and somebody else's graph has it now.
    if call('HGET', key('graph', name), F.graph.run) == run then call('UNLINK', key('graph', name), key('order',
      name)) end
  end
  call('LTRIM', key('named', run), 64, -1)
  return #names < 64
end
