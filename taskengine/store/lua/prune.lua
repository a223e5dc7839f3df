-- Erases finished tasks of a run whose retention ended, those that nothing outside waits for.
-- args: term, run, finished_ms, kept_before, last, tasks{task, index}...
-- returns: {'ok', erased, kept, looked at} | {'stale'} the term | {'open'} the run got new work, or may
-- fields: status, run, pinned, releasing, pinning, deleting, queue, run.total, run.pruned
-- It stops behind the task whose edges and executions, with those before it, make 1024, and in front of one that stands
-- in the lists of too many parents for one script: the next call goes on there.
-- kept before: how many this pass had to keep so far. With last ('' or '1') the run itself goes when the whole pass
-- kept none, else it waits for another retention.
if outdated(A.term) then return {'stale'} end
local run = A.run
-- A graph that is not committed may depend on what is here: staging moved the run's end behind that graph's beginning.
local staged = call('ZRANGE', K.batches, 0, 0, 'WITHSCORES')
if staged[2] and tonumber(A.finished_ms) >= tonumber(staged[2]) then return {'open'} end
if tonumber(call('ZSCORE', K.finished, run) or -1) ~= tonumber(A.finished_ms) then return {'open'} end
local erased, kept, touched = 0, 0, 0
for i = A.tasks.first, A.tasks.last, A.tasks.width do
  if touched >= 1024 then return {'ok', erased, kept, (i - A.tasks.first) / A.tasks.width} end
  local v = call('HMGET', key('task', A.tasks[i].task), F.status, F.run, F.pinned, F.releasing, F.pinning, F.deleting,
    F.queue)
  if v[1] and v[2] == run and (A.tasks[i].index ~= '' or is_step({queue = v[7]})) then
    if tonumber(v[3] or 0) > 0 or v[4] or v[5] or not C.terminal[v[1]] then
      kept = kept + 1
    else
      if not v[6] and has_many_lists(A.tasks[i].task) then begin_leaving(A.tasks[i].task, A.tasks[i].index) end
      if (v[6] or call('ZSCORE', K.erasing, A.tasks[i].task)) and not leave_lists(A.tasks[i].task) then
        return {'ok', erased, kept, (i - A.tasks.first) / A.tasks.width}
      end
      if not is_unseen({queue = v[7]}) then call('HINCRBY', K.counts, v[1], -1) end
      call('HINCRBY', key('run', run), F.run.total, -1)
      call('HSET', key('run', run), F.run.pruned, 1)
      touched = touched + erase(A.tasks[i].task, A.tasks[i].index)
      erased = erased + 1
    end
  end
end
local looked = A.tasks.count
if A.last == '' then return {'ok', erased, kept, looked} end
-- A deletion that has begun may be one of this run, which nobody finds any more.
if kept + tonumber(A.kept_before) == 0 and call('EXISTS', K.erasing) == 0 then
  if not forget_graphs(run) then return {'ok', erased, kept, looked} end
  forget_pause('run:' .. run)
  call('HDEL', K.paused_ms, 'run:' .. run)
  call('UNLINK', key('run', run), key('ranges', run), key('events', run))
  call('ZREM', K.runs, run)
  call('ZREM', K.graphs, run)
  call('ZREM', K.finished, run)
else
  call('ZADD', K.finished, now, run)
end
return {'ok', erased, kept, looked}
