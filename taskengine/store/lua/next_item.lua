-- Lets the next item of a map start, because one failed that may.
-- args: term, entry, step, rests_on, envelope
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: ready
local m, no = decided_step(A.term, A.entry, A.step, A.rests_on)
if not m then return no end
open_window(m.id)
drain_gates()
answered(A.entry)
grant_made()
return {'ok'}
