-- Replaces what the client may change of a task; its place in the ready set follows at once.
-- args: task, expected sha, sha, name, doc, score, timeout, old index, new index, before_first_run, big, envelope
-- returns: {'ok'} | {'conflict', status} | {'stale'} | {'settling', kind, id} | {'missing'}
-- events: updated
-- big: key of an input by reference, '' = none, '-' = as it was.
-- uses: settle, ready, park, execution, grant, index
local m = find(ARGV[1])
if not m then return {'missing'} end
if m.batch then return unsettled(m) end
if C.terminal[m.st] then return {'conflict', m.st} end
if call('HGET', key('task', m.id), 'sha') ~= ARGV[2] then return {'stale'} end
if ARGV[10] ~= '' and (m.st == T.RUNNING or m.st == T.RETRYING or m.att > (m.granted and 1 or 0)) then
  return {'conflict', m.st}
end
local queued = m.st == T.READY
if queued and m.granted then
  drop_grant(m)
elseif queued then
  leave_ready(m)
  m.park = false
end
m.score = ARGV[6]
call('HSET', key('task', m.id), 'sha', ARGV[3], 'nm', ARGV[4], 'doc', ARGV[5], 'sc', ARGV[6])
if ARGV[7] == '' then call('HDEL', key('task', m.id), 'to') else call('HSET', key('task', m.id), 'to', ARGV[7]) end
if ARGV[11] ~= '-' then
  local old = call('HGET', key('task', m.id), 'big')
  if old and old ~= ARGV[11] then call('DEL', key('payload', old)) end
  if ARGV[11] == '' then
    call('HDEL', key('task', m.id), 'big')
  else
    call('HSET', key('task', m.id), 'big', ARGV[11])
    call('PERSIST', key('payload', ARGV[11]))
  end
end
for name in ARGV[8]:gmatch('[^\n]+') do unmark(m.no, name) end
for name in ARGV[9]:gmatch('[^\n]+') do mark(m.no, name, 1) end
emit(m.run, 'updated', m.id)
if queued then enqueue(m) end
grant_made()
return {'ok'}
