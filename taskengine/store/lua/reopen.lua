-- Opens a FAILED or CANCELLED task again, with fresh retries; what its end closed is reopened by the coordinator.
-- args: task, because, term, entry, envelope
-- returns: {'ok', status} | {'conflict', status} | {'blocked', closed by} | {'settling', kind, id} | {'missing'} | {'stale'}
-- events: reopened, ready
-- uses: settle, release, grant, leader, clocks, age, deadline
-- because: only when this task closed it ('' = whatever closed it). entry: decision to delete, or ''.
if outdated(ARGV[3]) then return {'stale'} end
local m = find(ARGV[1])
local function done(reply)
  if ARGV[4] ~= '' then call('XDEL', K.decisions, ARGV[4]) end
  return reply
end
if not m then return done({'missing'}) end
if not (m.st == T.FAILED or m.st == T.CANCELLED) then return done({'conflict', m.st}) end
local by = call('HGET', key('task', m.id), 'by') or ''
if ARGV[2] ~= '' and by ~= ARGV[2] then return done({'conflict', m.st}) end
local wait = unsettled(m)
if wait then return wait end
if ARGV[2] == '' and (m.w < 0 and by ~= '' or m.w >= 0 and m.f + m.c > 0) then return {'blocked', by} end
local how = m.st == T.FAILED and 'f' or 'c'
if call('HINCRBY', key('run', m.run), 'open', 1) == 1 then
  call('ZREM', K.finished, m.run)
  call('HDEL', key('run', m.run), 'fin')
end
move(m, T.PENDING)
call('HSET', key('task', m.id), 'st', T.PENDING)
call('HDEL', key('task', m.id), 'fin', 'err', 'knd', 'rsn', 'by', 'cq', 'rt', 'lc', 'nn', 'risk', 'due', 'pq')
if m.clk then renew_clocks(m) end
call('ZREM', K.dead, m.id)
forget_age(m)
watch_deadline(m.id, m.score)
call('DEL', key('done', m.id))
emit(m.run, 'reopened', m.id)
m.w = call('HINCRBY', key('task', m.id), 'w', 1)
if m.xr and not tell_parents(m.id, m.run, false, 0) then
  call('HSET', key('task', m.id), 'undo', 0, 'how', how)
else
  take_back(m.id, how, 0)
end
grant_made()
return done({'ok', call('HGET', key('task', m.id), 'st')})
