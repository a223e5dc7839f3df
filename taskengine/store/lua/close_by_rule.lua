-- Cancels a PENDING task whose trigger rule can no longer hold, if nothing changed since it was decided.
-- args: term, entry, task, revision, reason, closed_by, failed_before
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: cancelled
-- entry: the decision to delete with it, or ''. failed before: '1' when its dependents count it as failed, or ''.
-- fields: failed_before, reason, closed_by
local m, no = decided(A.term, A.entry, A.task, A.revision)
if not m then return no end
-- Its last end is still being taken back from its dependents: two cursors would run over one list.
if unsettled(m) then
  continue_release(m.id)
  drain_gates()
  wake_made()
  return {'changed'}
end
m.failed_before = A.failed_before ~= ''
if m.failed_before then call('HSET', key('task', m.id), F.failed_before, 1) end
close_task(m, T.CANCELLED, A.reason, F.reason, A.reason, F.closed_by, A.closed_by)
answered(A.entry)
return {'ok'}
