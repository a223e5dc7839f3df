-- Clocks that only some tasks have, in their field clk: exp (ms: expires_at) and, in ms, qt, hb and tt (queue, heartbeat
-- and total timeout). A task without that field pays nothing for them.
-- fields: queue_paused, total_end, total_paused, clocks, exec.heartbeat, exec.silent_until
-- uses: clock, task, timers, pause
local function clock_of(m, name)
  return m.clk and tonumber(m.clk:match(name .. '=(%d+)'))
end
-- A length of time stands still while its task is paused: by how much it grew since the last look, in ms. Fields: qb and
-- tb, how long the task had been paused by then.
local function grown(m, field)
  local paused, before = paused_ms(m), tonumber(call('HGET', key('task', m.id), field) or 0)
  if paused ~= before then call('HSET', key('task', m.id), field, paused) end
  return math.max(0, paused - before)
end
-- READY: a worker must take it in time.
local function clock_queue(m)
  local ms = clock_of(m, 'qt')
  if not ms then return end
  grown(m, F.queue_paused)
  set_timer('queue', m.id, now + ms)
end
local function total_end(m)
  local ends = tonumber(call('HGET', key('task', m.id), F.total_end) or 0)
  local more = grown(m, F.total_paused)
  if ends == 0 or more == 0 then return ends end
  drop_timer('total', m.id)
  set_timer('total', m.id, ends + more)
  call('HSET', key('task', m.id), F.total_end, ends + more)
  return ends + more
end
-- RUNNING: it did not expire and was taken in time; all attempts together have theirs from the first one on, this one
-- must be heard. When this attempt is over at the latest.
local function clock_start(m, eid, deadline)
  drop_items(m.id, {'expire:' .. m.id, 'queue:' .. m.id})
  local silent, total = clock_of(m, 'hb'), clock_of(m, 'tt')
  if silent then call('HSET', key('exec', eid), F.exec.heartbeat, silent, F.exec.silent_until, now + silent) end
  if not total then return deadline end
  local ends = total_end(m)
  if ends == 0 then
    ends = now + total
    set_timer('total', m.id, ends)
    call('HSET', key('task', m.id), F.total_end, ends)
  end
  return math.min(deadline, ends)
end
-- Whether another attempt in `delay` ms comes too late; why, for people.
local function too_late(m, delay)
  local total = clock_of(m, 'tt')
  local ends = total and total_end(m)
  if not ends or now + delay < ends then return nil end
  return '; no further attempt: its total_timeout of ' .. total / 1000 .. ' s ends before'
end
-- Opened again: with a fresh total, and what had expired does not expire again.
local function renew_clocks(m)
  call('HDEL', key('task', m.id), F.total_end)
  local expires = clock_of(m, 'exp')
  if not expires then return end
  if expires > now then
    if m.att == 0 then set_timer('expire', m.id, expires) end
    return
  end
  m.clk = m.clk:gsub('exp=%d+,?', '')
  if m.clk == '' then call('HDEL', key('task', m.id), F.clocks) else call('HSET', key('task', m.id), F.clocks,
    m.clk) end
end
