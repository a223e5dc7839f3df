-- Cancels a PENDING task whose trigger rule can no longer hold, if nothing changed since it was decided.
-- args: term, entry, task, revision, reason, closed by
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: cancelled
-- entry: the decision to delete with it, or ''.
-- uses: give_up, settle, leader, rules
if outdated(ARGV[1]) then return {'stale'} end
local m = load(ARGV[3])
if not m then
  if ARGV[2] ~= '' then call('XDEL', K.decisions, ARGV[2]) end
  return {'missing'}
end
if m.st ~= T.PENDING or revision(m) ~= ARGV[4] then return {'changed'} end
-- Its last end is still being taken back from its dependents: two cursors would run over one list.
if unsettled(m) then
  continue_release(m.id)
  wake_made()
  return {'changed'}
end
give_up(m, T.CANCELLED, ARGV[5], 'rsn', ARGV[5], 'by', ARGV[6])
if ARGV[2] ~= '' then call('XDEL', K.decisions, ARGV[2]) end
return {'ok'}
