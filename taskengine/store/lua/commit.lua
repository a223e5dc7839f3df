-- Makes a staged graph visible, all of it at once; its commit waits fall afterwards, in pieces.
-- args: batch, key, sha, name, by
-- returns: {'ok', run} also when repeated | {'named'} | {'conflict'} when a later batch took ids over or it was swept | {'missing'}
-- events: none (fall writes them)
-- uses: put, graph_name
-- key, sha: its hashed idempotency key and what it is made of, or ''. named: by then the key names another graph.
-- name, by: what its run is called if it has no name yet, and who made it, or ''.
local b = call('HMGET', key('batch', ARGV[1]), 'state', 'run', 'n')
if not b[1] then return {'missing'} end
if b[1] == 'taken' or b[1] == 'swept' then return {'conflict'} end
if b[1] == 'open' then
  if ARGV[2] ~= '' then
    if named_graph(ARGV[2]) then return {'named'} end
    name_graph(ARGV[2], ARGV[3], b[2], ARGV[1])
  end
  call('HSET', key('batch', ARGV[1]), 'state', 'committed')
  call('ZREM', K.batches, ARGV[1])
  call('SADD', K.commits, ARGV[1])
  open_run(b[2], tonumber(b[3]), ARGV[4], ARGV[5])
  if tonumber(b[3]) == 0 and call('HGET', key('run', b[2]), 'open') == '0' then call('ZADD', K.finished, now, b[2]) end
end
return {'ok', b[2]}
