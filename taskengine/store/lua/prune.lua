-- Erases finished tasks of a run whose retention ended, those that nothing outside waits for.
-- args: term, run, finished ms, kept before, last, task and index pairs ...
-- returns: {'ok', erased, kept, looked at} | {'stale'} the term | {'open'} the run got new work, or may
-- uses: erase, leader, pause, graph_name
-- It stops behind the task whose edges and executions, with those before it, make 1024, and in front of one that stands
-- in the lists of too many parents for one script: the next call goes on there.
-- kept before: how many this pass had to keep so far. With last ('' or '1') the run itself goes when the whole pass
-- kept none, else it waits for another retention.
if outdated(ARGV[1]) then return {'stale'} end
local run = ARGV[2]
-- A graph that is not committed may depend on what is here: staging moved the run's end behind that graph's beginning.
local staged = call('ZRANGE', K.batches, 0, 0, 'WITHSCORES')
if staged[2] and tonumber(ARGV[3]) >= tonumber(staged[2]) then return {'open'} end
if tonumber(call('ZSCORE', K.finished, run) or -1) ~= tonumber(ARGV[3]) then return {'open'} end
local erased, kept, touched = 0, 0, 0
for i = 6, #ARGV, 2 do
  if touched >= 1024 then return {'ok', erased, kept, (i - 6) / 2} end
  local v = call('HMGET', key('task', ARGV[i]), 'st', 'run', 'pin', 'rel', 'pins', 'del', 'lane')
  if v[1] and v[2] == run and (ARGV[i + 1] ~= '' or is_step({lane = v[7]})) then
    if tonumber(v[3] or 0) > 0 or v[4] or v[5] or not C.terminal[v[1]] then
      kept = kept + 1
    else
      if not v[6] and has_many_lists(ARGV[i]) then begin_leaving(ARGV[i], ARGV[i + 1]) end
      if (v[6] or call('ZSCORE', K.erasing, ARGV[i])) and not leave_lists(ARGV[i]) then
        return {'ok', erased, kept, (i - 6) / 2}
      end
      if not is_unseen({lane = v[7]}) then call('HINCRBY', K.counts, v[1], -1) end
      call('HINCRBY', key('run', run), 'total', -1)
      call('HSET', key('run', run), 'pruned', 1)
      touched = touched + erase(ARGV[i], ARGV[i + 1])
      erased = erased + 1
    end
  end
end
local looked = (#ARGV - 5) / 2
if ARGV[5] == '' then return {'ok', erased, kept, looked} end
-- A deletion that has begun may be one of this run, which nobody finds any more.
if kept + tonumber(ARGV[4]) == 0 and call('EXISTS', K.erasing) == 0 then
  if not forget_graphs(run) then return {'ok', erased, kept, looked} end
  forget_pause('run:' .. run)
  call('HDEL', K.paused, 'run:' .. run)
  call('UNLINK', key('run', run), key('ranges', run), key('events', run))
  call('ZREM', K.runs, run)
  call('ZREM', K.graphs, run)
  call('ZREM', K.finished, run)
else
  call('ZADD', K.finished, now, run)
end
return {'ok', erased, kept, looked}
