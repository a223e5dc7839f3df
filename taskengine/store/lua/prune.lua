-- Erases finished tasks of a run, a chunk of those that nothing outside waits for; the last chunk erases the run.
-- args: term, run, last, task and index pairs ...
-- returns: {'ok', erased, kept} | {'stale'} | {'open'}
-- uses: erase, leader
if outdated(ARGV[1]) then return {'stale'} end
local run = ARGV[2]
if not call('ZSCORE', K.finished, run) then return {'open'} end
local erased, kept = 0, 0
for i = 4, #ARGV, 2 do
  local v = call('HMGET', key('task', ARGV[i]), 'st', 'run', 'pin', 'rel')
  if v[1] and v[2] == run then
    if tonumber(v[3] or 0) > 0 or v[4] or not C.terminal[v[1]] then
      kept = kept + 1
    else
      call('HINCRBY', K.counts, v[1], -1)
      erase(ARGV[i], ARGV[i + 1])
      erased = erased + 1
    end
  end
end
if ARGV[3] ~= '' and kept == 0 then
  call('DEL', key('run', run), key('ranges', run), key('events', run))
  call('ZREM', K.runs, run)
  call('ZREM', K.finished, run)
elseif ARGV[3] ~= '' then
  call('ZADD', K.finished, now, run)
end
return {'ok', erased, kept}
