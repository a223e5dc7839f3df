-- Goes on with a deletion that stands in the lists of too many parents for one script.
-- args: term, task
-- returns: {'ok', 1 while more remain else 0} | {'stale'}
-- events: deleted
-- fields: filters
if outdated(A.term) then return {'stale'} end
local m = load(A.task)
if not m or not call('ZSCORE', K.erasing, m.id) then return {'ok', 0} end
if not leave_lists(m.id) then return {'ok', 1} end
delete(m, call('HGET', key('task', m.id), F.filters))
return {'ok', 0}
