-- PENDING -> READY because the trigger rule of a task holds, if nothing changed since it was decided.
-- args: term, entry, task, revision, envelope
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: ready
-- entry: the decision to delete with it, or ''.
-- uses: ready, grant, settle, leader, rules
if outdated(ARGV[1]) then return {'stale'} end
local m = load(ARGV[3])
if not m then
  if ARGV[2] ~= '' then call('XDEL', K.decisions, ARGV[2]) end
  return {'missing'}
end
if m.st ~= T.PENDING or m.hold or m.due or revision(m) ~= ARGV[4] or unsettled(m) then return {'changed'} end
make_ready(m)
if ARGV[2] ~= '' then call('XDEL', K.decisions, ARGV[2]) end
grant_made()
return {'ok'}
