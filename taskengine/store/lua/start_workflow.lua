-- Stores a workflow: its first step, which is asked about at once, and the frame of its variables.
-- args: run, digest, context, name, by, raw, task, variable and value pairs ...
-- returns: {'ok', id} | {'exists', id} | {'conflict', field, id} | {'undefined'} its definition is not there
-- events: step_created
-- uses: step, ready
-- task: 14 words, as of create. digest: of the definition, which was laid before. context: JSON.
local run, digest = ARGV[1], ARGV[2]
local t = read_task(7)
local before, rival = known(t, nil)
if before then return before end
if call('EXISTS', key('def', digest)) == 0 then return {'undefined'} end
take_over(rival, t)
call('PERSIST', key('def', digest))
call('SADD', key('uses', digest), t.id)
call('HSET', key('frame', t.id), 'wf', t.id, 'def', digest, 'vr', 0, 'ctx', ARGV[3])
if #ARGV > 6 + STRIDE then call('HSET', key('vars', t.id), unpack(ARGV, 7 + STRIDE)) end
local no = call('INCR', K.arrivals)
place_ids(no, 1, ARGV[6])
open_run(run, 1, ARGV[4], ARGV[5], 0)
put_child(t, no, run, nil, {})
call('RPUSH', key('ranges', run), no .. ':1')
call('ZADD', K.workflows, now, t.id)
try_ready(load(t.id), '')
return {'ok', t.id}
