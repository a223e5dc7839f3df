-- Stores a workflow: its first step, which is asked about at once, and the frame of its variables.
-- args: run, digest, context, begun_with, names, definitions, name, by, raw, task{staged}, variables{name, value}...
-- returns: {'ok', id} | {'exists', id} | {'conflict', field, id} | {'undefined', digest} a definition is not there
-- events: step_created
-- fields: frame.workflow, frame.definition, frame.revision, frame.context, frame.begun_with, frame.names
-- fields: frame.definitions
-- task: 14 words, as of create. digest: of the definition, which was laid before. context: JSON.
-- begun_with: JSON of the variables. names: JSON, workflow name -> digest. definitions: digests of all that it may run,
-- its own among them.
local run, digest = A.run, A.digest
local t = read_task(A.task.first)
local before, rival = known(t, nil)
if before then return before end
for each in A.definitions:gmatch('%S+') do
  if call('EXISTS', key('definition', each)) == 0 then return {'undefined', each} end
end
take_over(rival, t)
for each in A.definitions:gmatch('%S+') do
  call('PERSIST', key('definition', each))
  call('SADD', key('definition_users', each), t.id)
end
call('HSET', key('frame', t.id), F.frame.workflow, t.id, F.frame.definition, digest, F.frame.revision, 0,
  F.frame.context, A.context, F.frame.begun_with, A.begun_with, F.frame.names, A.names,
  F.frame.definitions, A.definitions)
if A.variables.last >= A.variables.first then call('HSET', key('variables', t.id), unpack(ARGV, A.variables.first)) end
local no = call('INCR', K.arrivals)
place_ids(no, 1, A.raw)
open_run(run, 1, A.name, A.by, 0)
put_child(t, no, run, nil, {})
call('RPUSH', key('ranges', run), no .. ':1')
call('ZADD', K.workflows, now, t.id)
try_ready(load(t.id), '')
return {'ok', t.id}
