-- PENDING -> READY because the trigger rule of a task holds, if nothing changed since it was decided.
-- args: term, entry, task, revision, envelope
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: ready
-- entry: the decision to delete with it, or ''.
-- uses: ready, grant, settle, decided
local m, no = decided(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if not m then return no end
if m.hold or m.due or unsettled(m) then return {'changed'} end
make_ready(m)
answered(ARGV[2])
grant_made()
return {'ok'}
