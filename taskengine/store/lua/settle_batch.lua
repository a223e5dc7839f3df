-- Drops the commit waits of a committed graph's next chunks; the coordinator goes on if the submitter died.
-- args: batch, envelope
-- returns: {'ok', 1 while more remain else 0}
-- events: created, ready
-- fields: status, arrival, run, queue, score, waiting, failed, skipped, held, due, batch, clocks, filters
-- fields: batch.state, batch.run, batch.cursor
local batch = A.batch
local b = call('HMGET', key('batch', batch), F.batch.state, F.batch.run, F.batch.cursor)
if b[1] ~= 'committed' then
  call('SREM', K.commits, batch)
  return {'ok', 0}
end
-- Each field asked for costs as much as a short command: what try_ready needs.
local function load_staged(id)
  local v = call('HMGET', key('task', id), F.status, F.arrival, F.run, F.queue, F.score, F.waiting, F.failed,
    F.skipped, F.held, F.due, F.batch, F.clocks)
  if not v[1] then return nil end
  return {id = id, st = v[1], no = tonumber(v[2]), run = v[3], queue = v[4], score = v[5], w = tonumber(v[6] or 0),
    f = tonumber(v[7] or 0), c = tonumber(v[8] or 0), hold = v[9], due = v[10], batch = v[11], clk = v[12]}
end
local function drop_wait(m, no)
  emit(m.run, 'created', m.id)
  set_code(no, T.PENDING)
  m.batch = false
  if m.w == 1 then
    call('HDEL', key('task', m.id), F.batch, F.filters, F.waiting)
    m.w = 0
  else
    call('HDEL', key('task', m.id), F.batch, F.filters)
    m.w = call('HINCRBY', key('task', m.id), F.waiting, -1)
  end
  try_ready(m, '')
end
local cursor, touched = tonumber(b[3]), 0
local chunk = call('LINDEX', key('pending', batch), cursor)
while chunk do
  local first, count = span(chunk)
  touched = touched + count
  local raw = ids_of(first, count)
  for no = first, first + count - 1 do
    local m = #raw >= 16 * (no - first + 1) and load_staged(id_of(raw, no - first))
    if m and m.no == no and m.batch == batch then drop_wait(m, no) end
  end
  call('RPUSH', key('ranges', b[2]), chunk)
  cursor = cursor + 1
  chunk = call('LINDEX', key('pending', batch), cursor)
  if chunk and touched + select(2, span(chunk)) > 256 then break end
end
call('HSET', key('batch', batch), F.batch.cursor, cursor)
if not chunk then
  call('SREM', K.commits, batch)
  call('DEL', key('pending', batch))
  call('EXPIRE', key('batch', batch), 3600)
  grant_made()
  return {'ok', 0}
end
grant_made()
return {'ok', 1}
