-- Clocks that only some tasks have, in their field clk: exp (ms: expires_at) and, in ms, qt, hb and tt (queue, heartbeat
-- and total timeout). A task without that field pays nothing for them.
-- uses: clock, task, timers
local function clock_of(m, name)
  return m.clk and tonumber(m.clk:match(name .. '=(%d+)'))
end
-- READY: a worker must take it in time.
local function clock_queue(m)
  local ms = clock_of(m, 'qt')
  if ms then set_timer('queue', m.id, now + ms) end
end
-- RUNNING: it did not expire and was taken in time; all attempts together have theirs from the first one on, this one
-- must be heard. When this attempt is over at the latest.
local function clock_start(m, eid, deadline)
  drop_items({'expire:' .. m.id, 'queue:' .. m.id})
  local silent, total = clock_of(m, 'hb'), clock_of(m, 'tt')
  if silent then call('HSET', key('exec', eid), 'hbt', silent, 'hb', now + silent) end
  if not total then return deadline end
  if call('HSETNX', key('task', m.id), 'tend', now + total) == 1 then set_timer('total', m.id, now + total) end
  return math.min(deadline, tonumber(call('HGET', key('task', m.id), 'tend')))
end
-- Whether another attempt in `delay` ms comes too late; why, for people.
local function too_late(m, delay)
  local total = clock_of(m, 'tt')
  local ends = total and tonumber(call('HGET', key('task', m.id), 'tend') or 0)
  if not ends or now + delay < ends then return nil end
  return '; no further attempt: its total_timeout of ' .. total / 1000 .. ' s ends before'
end
-- Opened again: with a fresh total, and what had expired does not expire again.
local function renew_clocks(m)
  call('HDEL', key('task', m.id), 'tend')
  local expires = clock_of(m, 'exp')
  if not expires then return end
  if expires > now then
    if m.att == 0 then set_timer('expire', m.id, expires) end
    return
  end
  m.clk = m.clk:gsub('exp=%d+,?', '')
  if m.clk == '' then call('HDEL', key('task', m.id), 'clk') else call('HSET', key('task', m.id), 'clk', m.clk) end
end
