-- Tells the next 256 dependents of ended tasks that had too many for one script.
-- args: term, task, envelope
-- returns: {'ok', 1 while more remain else 0} | {'stale'}
-- events: ready
-- task: only this one's ('' = all).
if outdated(A.term) then return {'stale'} end
if A.task ~= '' then continue_release(A.task) else continue_releases() end
drain_gates()
grant_made()
if A.task ~= '' then return {'ok', call('ZSCORE', K.releases, A.task) and 1 or 0} end
return {'ok', call('EXISTS', K.releases)}
