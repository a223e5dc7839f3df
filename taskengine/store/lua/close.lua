-- Cancels a PENDING task whose trigger rule can no longer hold, if nothing changed since it was decided.
-- args: term, entry, task, waiting, failed, cancelled, reason, closed by
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: cancelled
-- entry: the decision to delete with it, or ''.
-- uses: finish, settle, leader
if outdated(ARGV[1]) then return {'stale'} end
local m = load(ARGV[3])
if not m then
  if ARGV[2] ~= '' then call('XDEL', K.decisions, ARGV[2]) end
  return {'missing'}
end
if m.st ~= T.PENDING or m.w ~= tonumber(ARGV[4]) or m.f ~= tonumber(ARGV[5]) or m.c ~= tonumber(ARGV[6]) then
  return {'changed'}
end
-- Its last end is still being taken back from its dependents: two cursors would run over one list.
if unsettled(m) then
  continue_release(m.id)
  wake_made()
  return {'changed'}
end
call('ZREM', K.timers, 'schedule:' .. m.id)
finish(m, T.CANCELLED, ARGV[7], 'rsn', ARGV[7], 'by', ARGV[8])
if ARGV[2] ~= '' then call('XDEL', K.decisions, ARGV[2]) end
return {'ok'}
