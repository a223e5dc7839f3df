-- Other clocks for a stored task: what counts already counts anew, from where it began.
-- fields: total_end, started, timeout, clocks, ready, exec.deadline
-- uses: clock, task, execution, clocks, timers, halt
local function change_timer(kind, m, at)
  if m.st == T.PAUSED then return change_left(m, kind, at) end
  drop_timer(kind, m.id)
  if at then set_timer(kind, m.id, at) end
end
-- Its latest start counts for a total_timeout that it did not have before.
local function change_total(m, before, total)
  local v = call('HMGET', key('task', m.id), F.total_end, F.started, F.timeout)
  if not v[2] then return end
  local began = v[1] and v[1] - before or tonumber(v[2])
  local ends = total and began + total
  change_timer('total', m, ends)
  if ends then call('HSET', key('task', m.id), F.total_end, ends) else call('HDEL', key('task', m.id), F.total_end) end
  if m.st == T.RUNNING then
    local own = v[2] + (v[3] or C.timeout_ms)
    call('HSET', key('exec', execution_id(m.id, m.att)), F.exec.deadline, ends and math.min(own, ends) or own)
  end
end
local function change_clocks(m, words)
  if words == (m.clk or '') then return end
  local expires, queue, total = clock_of(m, 'exp'), clock_of(m, 'qt'), clock_of(m, 'tt')
  m.clk = words ~= '' and words
  if clock_of(m, 'exp') and clock_of(m, 'exp') <= now then m.clk = m.clk:gsub('exp=%d+,?', '') end
  if m.clk == '' then m.clk = false end
  if m.clk then call('HSET', key('task', m.id), F.clocks, m.clk) else call('HDEL', key('task', m.id), F.clocks) end
  local begun = m.att > (m.granted and 1 or 0)
  if clock_of(m, 'exp') ~= expires and not begun then change_timer('expire', m, clock_of(m, 'exp')) end
  if clock_of(m, 'qt') ~= queue and m.st == T.READY then
    local ready = call('HGET', key('task', m.id), F.ready)
    change_timer('queue', m, clock_of(m, 'qt') and ready + clock_of(m, 'qt'))
  end
  if clock_of(m, 'tt') ~= total then change_total(m, total, clock_of(m, 'tt')) end
end
