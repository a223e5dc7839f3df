-- Tells the next 256 dependents of ended tasks that had too many for one script.
-- args: term, task, envelope
-- returns: {'ok', 1 while more remain else 0} | {'stale'}
-- events: ready
-- uses: release, finish, grant, leader
-- task: only this one's ('' = all).
if outdated(ARGV[1]) then return {'stale'} end
if ARGV[2] ~= '' then continue_release(ARGV[2]) else continue_releases() end
drain_gates()
grant_made()
if ARGV[2] ~= '' then return {'ok', call('ZSCORE', K.releases, ARGV[2]) and 1 or 0} end
return {'ok', call('EXISTS', K.releases)}
