-- Stores a workflow: its first step, which is asked about at once, and the frame of its variables.
-- args: run, digest, context, name, by, raw, task{staged}, variables{name, value}...
-- returns: {'ok', id} | {'exists', id} | {'conflict', field, id} | {'undefined'} its definition is not there
-- events: step_created
-- fields: frame.workflow, frame.definition, frame.revision, frame.context
-- task: 14 words, as of create. digest: of the definition, which was laid before. context: JSON.
local run, digest = A.run, A.digest
local t = read_task(A.task.first)
local before, rival = known(t, nil)
if before then return before end
if call('EXISTS', key('def', digest)) == 0 then return {'undefined'} end
take_over(rival, t)
call('PERSIST', key('def', digest))
call('SADD', key('uses', digest), t.id)
call('HSET', key('frame', t.id), F.frame.workflow, t.id, F.frame.definition, digest, F.frame.revision, 0,
  F.frame.context, A.context)
if A.variables.last >= A.variables.first then call('HSET', key('vars', t.id), unpack(ARGV, A.variables.first)) end
local no = call('INCR', K.arrivals)
place_ids(no, 1, A.raw)
open_run(run, 1, A.name, A.by, 0)
put_child(t, no, run, nil, {})
call('RPUSH', key('ranges', run), no .. ':1')
call('ZADD', K.workflows, now, t.id)
try_ready(load(t.id), '')
return {'ok', t.id}
