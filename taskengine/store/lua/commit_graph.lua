-- Makes a staged graph visible, all of it at once; its commit waits fall afterwards, in pieces.
-- args: batch, key, sha, name, by
-- returns: {'ok', run} also when repeated | {'named'} | {'conflict'} when a later batch took ids over or it was swept | {'missing'}
-- events: none (settle_batch writes them)
-- fields: batch.state, batch.run, batch.tasks, run.open
-- key, sha: its hashed idempotency key and what it is made of, or ''. named: by then the key names another graph.
-- name, by: what its run is called if it has no name yet, and who made it, or ''.
local b = call('HMGET', key('batch', A.batch), F.batch.state, F.batch.run, F.batch.tasks)
if not b[1] then return {'missing'} end
if b[1] == 'taken' or b[1] == 'swept' then return {'conflict'} end
if b[1] == 'open' then
  if A.key ~= '' then
    if named_graph(A.key) then return {'named'} end
    name_graph(A.key, A.sha, b[2], A.batch)
  end
  call('HSET', key('batch', A.batch), F.batch.state, 'committed')
  call('ZREM', K.batches, A.batch)
  call('SADD', K.commits, A.batch)
  open_run(b[2], tonumber(b[3]), A.name, A.by)
  if tonumber(b[3]) == 0 and call('HGET', key('run', b[2]), F.run.open) == '0' then
    call('ZADD', K.finished, now, b[2])
  end
end
return {'ok', b[2]}
