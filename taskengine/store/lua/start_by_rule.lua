-- PENDING -> READY because the trigger rule of a task holds, if nothing changed since it was decided.
-- args: term, entry, task, revision, envelope
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: ready
-- entry: the decision to delete with it, or ''.
local m, no = decided(A.term, A.entry, A.task, A.revision)
if not m then return no end
if m.hold or m.due or unsettled(m) then return {'changed'} end
make_ready(m)
answered(A.entry)
grant_made()
return {'ok'}
