-- Cancels a PENDING task whose trigger rule can no longer hold, if nothing changed since it was decided.
-- args: term, entry, task, revision, reason, closed by, failed before
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: cancelled
-- entry: the decision to delete with it, or ''. failed before: '1' when its dependents count it as failed, or ''.
-- uses: give_up, settle, decided
local m, no = decided(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if not m then return no end
-- Its last end is still being taken back from its dependents: two cursors would run over one list.
if unsettled(m) then
  continue_release(m.id)
  drain_gates()
  wake_made()
  return {'changed'}
end
m.failed_before = ARGV[7] ~= ''
if m.failed_before then call('HSET', key('task', m.id), 'fb', 1) end
give_up(m, T.CANCELLED, ARGV[5], 'rsn', ARGV[5], 'by', ARGV[6])
answered(ARGV[2])
return {'ok'}
