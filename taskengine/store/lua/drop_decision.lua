-- Deletes decisions that need nothing done; with an error they are kept in the poison list.
-- args: term, error, most, entries...
-- returns: {'ok'} | {'stale'}
-- error: JSON, or ''. most: entries that the poison list keeps.
if outdated(A.term) then return {'stale'} end
if A.error ~= '' then
  call('LPUSH', K.poison, A.error)
  call('LTRIM', K.poison, 0, A.most - 1)
end
call('XDEL', K.decisions, unpack(ARGV, A.entries.first))
return {'ok'}
