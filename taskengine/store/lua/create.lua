-- Stores one task and starts its life: READY and granted at once when nothing is left to wait for.
-- args: run, raw, task{staged}, envelope
-- returns: {'ok', id, status} | {'exists', id} | {'conflict', field, id} | {'missing', dependency}
-- events: created, ready
local run = A.run
local t = read_task(A.task.first)
local before, rival = known(t, nil)
if before then return before end
local parents, missing = parents_of(t, nil)
if missing then return {'missing', missing} end
take_over(rival, t)
local no = call('INCR', K.arrivals)
place_ids(no, 1, A.raw)
open_run(run, 1, '', '')
put(t, no, run, nil, parents)
call('RPUSH', key('ranges', run), no .. ':1')
emit(run, 'created', t.id)
local m = load(t.id)
try_ready(m, '')
grant_made()
return {'ok', t.id, m.st}
