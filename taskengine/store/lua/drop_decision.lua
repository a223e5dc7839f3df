-- Deletes decisions that need nothing done; with an error they are kept in the poison list.
-- args: term, error, most, entry ...
-- returns: {'ok'} | {'stale'}
-- uses: leader
-- error: JSON, or ''. most: entries that the poison list keeps.
if outdated(ARGV[1]) then return {'stale'} end
if ARGV[2] ~= '' then
  call('LPUSH', K.poison, ARGV[2])
  call('LTRIM', K.poison, 0, ARGV[3] - 1)
end
call('XDEL', K.decisions, unpack(ARGV, 4))
return {'ok'}
