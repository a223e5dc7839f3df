-- Replaces what the client may change of a task, its dependencies included; its place in the ready set follows at once.
-- args: task, revision, name, doc, score, timeout, old_index, new_index, before_first_run, big, rare, due
-- args: edge_revision, dropped, added, envelope
-- returns: {'ok'} | {'conflict', status} | {'stale'} | {'settling', kind, id} | {'missing', id}
-- events: updated, pending, ready
-- big: key of an input by reference, or ''. rare: fields that only some tasks have, as words. due: a new time to start,
-- in ms, or '' = the one it has. dropped, added: ids; cycles were checked at the given edge revision.
-- The content hash stays that of the first submit: who sends that again means this task, whatever became of it.
-- fields: revision, releasing, undoing, binding_bytes, doc, rule, waiting, due, name, score, aged, timeout
-- fields: large_input, most_tokens, demand, extra
local m = find(A.task)
if not m then return {'missing', A.task} end
if m.batch then return unsettled(m) end
if C.terminal[m.st] then return {'conflict', m.st} end
if (call('HGET', key('task', m.id), F.revision) or '0') ~= A.revision then return {'stale'} end
if A.before_first_run ~= '' and (m.st == T.RUNNING or m.st == T.RETRYING or m.att > (m.granted and 1 or 0)) then
  return {'conflict', m.st}
end
local gone, parents = {}, {}
for d in A.dropped:gmatch('%S+') do
  local v = call('HMGET', key('task', d), F.releasing, F.undoing)
  if v[1] or v[2] then return {'settling', 'release', d} end
  gone[d] = true
end
for d in A.added:gmatch('%S+') do
  local p = find_any(d)
  if not p then return {'missing', d} end
  if p.batch then return unsettled(p) end
  parents[#parents + 1] = p
end
if #parents > 0 then
  if (call('GET', K.edge_revision) or '0') ~= A.edge_revision then return {'stale'} end
  call('INCR', K.edge_revision)
end
-- What a task of a workflow takes from it stands last in its document, and no client says it.
local function with_binding(id, doc)
  local v = call('HMGET', key('task', id), F.binding_bytes, F.doc)
  return v[1] and doc:sub(1, -2) .. v[2]:sub(-v[1]) or doc
end
local function change_rule(m, rule)
  local had = m.w < 0 and call('HGET', key('task', m.id), F.rule) or ''
  if rule == had then return false end
  if rule == '' then call('HDEL', key('task', m.id), F.rule) else call('HSET', key('task', m.id), F.rule, rule) end
  local by = (had == '' and -C.ruled or 0) + (rule == '' and C.ruled or 0)
  if by ~= 0 then m.w = call('HINCRBY', key('task', m.id), F.waiting, by) end
  return true
end
local function change_due(m, due)
  if due == '' then return false end
  if m.st == T.PAUSED then
    change_left(m, 'schedule', tonumber(due))
    return true
  end
  m.due = tonumber(due) > now and due
  drop_timer('schedule', m.id)
  if m.due then
    call('HSET', key('task', m.id), F.due, due)
    set_timer('schedule', m.id, due)
  else
    call('HDEL', key('task', m.id), F.due)
  end
  return true
end
local function change_cap(m, most)
  if most then
    call('HSET', key('task', m.id), F.most_tokens, most, F.extra, 1)
  else
    call('HDEL', key('task', m.id), F.most_tokens)
  end
end
local queued = m.st == T.READY
if queued and m.granted then
  drop_grant(m)
elseif queued then
  leave_ready(m)
  m.park = false
end
change_deadline(m.id, m.score, A.score)
m.score = A.score
call('HSET', key('task', m.id), F.name, A.name, F.doc, with_binding(m.id, A.doc), F.score, A.score)
call('HDEL', key('task', m.id), F.aged)
call('HINCRBY', key('task', m.id), F.revision, 1)
if A.timeout == '' then
  call('HDEL', key('task', m.id), F.timeout)
else
  call('HSET', key('task', m.id), F.timeout, A.timeout)
end
local old = call('HGET', key('task', m.id), F.large_input)
if (old or '') ~= A.big then
  -- Not deleted: an attempt that just began may still fetch it.
  if old then call('EXPIRE', key('payload', old), 3600) end
  if A.big == '' then
    call('HDEL', key('task', m.id), F.large_input)
  else
    call('HSET', key('task', m.id), F.large_input, A.big)
    call('PERSIST', key('payload', A.big))
  end
end
for name in A.old_index:gmatch('[^\n]+') do unmark(m.no, name) end
for name in A.new_index:gmatch('[^\n]+') do mark(m.no, name, 1) end
emit(m.run, 'updated', m.id)
local demand = A.rare:match('dem (%S+)')
if demand then
  call('HSET', key('task', m.id), F.demand, demand, F.extra, 1)
else
  call('HDEL', key('task', m.id), F.demand)
end
local moves = change_rule(m, A.rare:match('rule (%S+)') or '')
if next(gone) or #parents > 0 then
  change_edges(m, gone, parents)
  moves = true
end
-- Those of a workflow that runs are its steps': its client has set none that still count.
if m.queue ~= '%w' or m.st ~= T.RUNNING then change_cap(m, (' ' .. A.rare):match(' cap (%S+)'))
change_clocks(m, A.rare:match('clk (%S+)') or '') end
moves = change_due(m, A.due) or moves
if moves then
  if queued and (m.w ~= 0 or m.f + m.c > 0 or m.due) then
    queued = false
    wait_again(m)
  end
  if not queued then try_ready(m, '') end
end
if queued then enqueue(m) end
grant_made()
return {'ok'}
