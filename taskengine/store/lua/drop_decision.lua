-- Deletes a decision that needs nothing done; with an error it is kept in the poison list.
-- args: term, entry, error, limit
-- returns: {'ok'} | {'stale'}
-- uses: leader
if outdated(ARGV[1]) then return {'stale'} end
if ARGV[3] ~= '' then
  call('LPUSH', K.poison, ARGV[3])
  call('LTRIM', K.poison, 0, ARGV[4] - 1)
end
call('XDEL', K.decisions, ARGV[2])
return {'ok'}
