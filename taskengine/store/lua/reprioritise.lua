-- Gives tasks another priority; one that is queued has its new place at once.
-- args: priority index, {task, revision, doc, score, old index} ..., envelope
-- returns: {{'ok'} | {'conflict', status} | {'stale'} | {'settling', kind, id} | {'missing'} ...}
-- events: updated
-- uses: settle, ready, grant, filters, unqueue
-- revision: of the record that doc was made of. A granted one is taken back: its message has the old priority.
local function reprioritise(at)
  local m = find(ARGV[at])
  if not m then return {'missing'} end
  if m.batch then return unsettled(m) end
  if C.terminal[m.st] then return {'conflict', m.st} end
  if (call('HGET', key('task', m.id), 'rev') or '0') ~= ARGV[at + 1] then return {'stale'} end
  local queued = m.st == T.READY
  if queued and m.granted then drop_grant(m) elseif queued then leave_ready(m) end
  m.score = ARGV[at + 3]
  call('HSET', key('task', m.id), 'doc', ARGV[at + 2], 'sc', m.score)
  call('HDEL', key('task', m.id), 'ag')
  call('HINCRBY', key('task', m.id), 'rev', 1)
  unmark(m.no, ARGV[at + 4])
  mark(m.no, ARGV[1], 1)
  emit(m.run, 'updated', m.id)
  if queued then enqueue(m) end
  return {'ok'}
end
local found = {}
for at = 2, #ARGV - 1, 5 do found[#found + 1] = reprioritise(at) end
grant_made()
return found
