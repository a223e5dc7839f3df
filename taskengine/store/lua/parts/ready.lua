-- READY tasks: how they become so, where they wait, and why one may not run now.
-- fields: node.queues, status, ready, decided_end, parked, attempts, granted, aged, score

-- PENDING -> READY when nothing is left to wait for; what needs thought goes to the coordinator: a dependency that
-- ended badly, and every task with a trigger rule of its own (its counter of waits is below zero, see RULED in
-- keys.py). Queues in which something may now be granted, and how many tasks became READY there; -1 where a slot or a
-- grant got free, too.
local made, made_list = {}, {}
-- lazy
local function note_queue(queue)
  if not made[queue] then made_list[#made_list + 1] = queue end
  made[queue] = -1
end
local function note_new(queue)
  if not made[queue] then
    made_list[#made_list + 1] = queue
    made[queue] = 1
  elseif made[queue] > 0 then
    made[queue] = made[queue] + 1
  end
end
-- A slot that got free may serve any queue of its node.
-- lazy
local function note_queues_of(node)
  for queue in (call('HGET', key('node', node), F.node.queues) or ''):gmatch('(%S+)=') do note_queue(queue) end
end
-- Tells the coordinator that a grant may be possible; the stream is a hint, its sweep the promise.
-- lazy
local function wake(queue)
  call('XADD', K.wake, 'MAXLEN', '~', 1000, '*', 'q', queue)
end
local function wake_made()
  for _, queue in ipairs(made_list) do wake(queue) end
end
-- Queues that this script has queued something into.
local queues_known = {}
local function put_ready(m)
  call('ZADD', key('ready', m.queue), m.score, member(m))
  if queues_known[m.queue] then return end
  queues_known[m.queue] = true
  if call('SADD', K.queues, m.queue) == 1 then open_queue(m.queue) end
end
-- Back among those that may run: whatever it held or waited for is free for others.
local function enqueue(m)
  put_ready(m)
  note_queue(m.queue)
end
-- What a report made READY, when its slot goes on: nil elsewhere. The best of them may start without having been
-- queued; the others are queued together, before anybody looks into the queues.
local fresh
local function make_ready(m)
  if fresh and not m.clk then
    fresh[#fresh + 1] = m
    return
  end
  move(m, T.READY)
  call('HSET', key('task', m.id), F.status, T.READY, F.ready, now)
  if m.clk then clock_queue(m) end
  put_ready(m)
  note_new(m.queue)
  emit(m.run, 'ready', m.id)
end
-- The step that hears nothing of the ends that this script makes: it asks once, when all are made.
local hushed
-- lazy
local function ask(id, because, how)
  if id == hushed then return end
  call('XADD', K.decisions, '*', 'k', id, 'b', because or '', 'h', how)
end
-- A step that waits for nothing more: a gate ('%g') of which all completed does so too, in this very script; anything
-- else is thought about. PENDING it waits for what stands before it, RUNNING for what it consists of.
local gates, is_open_gate = {}, {}
-- Maps with max_parallel ('%m') hear of each item that completed: their counter of waits lies lower, as with a rule.
local windows = {}
-- lazy
local function try_step(m, because)
  if (m.st ~= T.PENDING and m.st ~= T.RUNNING) or m.hold or m.due then return end
  local open = m.queue == '%m' and m.w + C.ruled or m.w
  if m.queue == '%m' and open > 0 then windows[#windows + 1] = m.id end
  if open ~= 0 and (m.f + m.c == 0 or m.queue == '%m') then return end
  if (m.queue ~= '%g' and m.queue ~= '%m') or m.f + m.c > 0 then return ask(m.id, because, 'counters') end
  if m.queue == '%m' and call('HEXISTS', key('task', m.id), F.decided_end) == 1 then return ask(m.id, because, 'counters') end
  if not is_open_gate[m.id] then gates[#gates + 1] = m end
  is_open_gate[m.id] = true
end
local function try_ready(m, because)
  if m.batch then return end
  if is_step(m) then return try_step(m, because) end
  if m.st ~= T.PENDING then return end
  if m.w < 0 or m.f + m.c > 0 then
    ask(m.id, because, 'counters')
  elseif m.w == 0 and not m.hold and not m.due then
    make_ready(m)
  end
end

-- A READY task that may not run now waits under the scope that says so, out of everybody's way, with its place kept.
-- How many heads this script still moves aside, whatever the number of queues.
local parks_left = 16
-- lazy
local function park(m, scope)
  parks_left = parks_left - 1
  call('ZREM', key('ready', m.queue), member(m))
  call('ZADD', key('park', scope), m.score, member(m))
  call('SADD', K.suspending, scope)
  call('HSET', key('task', m.id), F.parked, scope)
end

-- Puts parked tasks back among those that may run, in their old order, as many as this script may still touch.
local function unpark(scope)
  if left <= 0 then return end
  local items = call('ZRANGE', key('park', scope), 0, left - 1)
  for _, item in ipairs(items) do
    local m = load(item:sub(13))
    if m and m.st == T.READY then
      call('HDEL', key('task', m.id), F.parked)
      enqueue(m)
    end
    call('ZREM', key('park', scope), item)
  end
  left = left - #items
end

-- Takes a READY task out of where it waits: a grant is deleted with its execution, which never ran.
local function drop_grant(m)
  call('DEL', key('exec', m.granted))
  call('ZREM', K.granted_all, m.granted)
  call('SREM', key('granted', m.queue), m.granted)
  call('HSET', key('task', m.id), F.attempts, m.att - 1)
  call('HDEL', key('task', m.id), F.granted)
  m.att = m.att - 1
  m.granted = false
end
local function leave_ready(m)
  if m.park then
    call('ZREM', key('park', m.park), member(m))
    call('HDEL', key('task', m.id), F.parked)
  else
    call('ZREM', key('ready', m.queue), member(m))
  end
end
-- READY -> PENDING: out of its place already, it has something to wait for again.
local function wait_again(m)
  move(m, T.PENDING)
  call('HSET', key('task', m.id), F.status, T.PENDING)
  if m.clk then drop_timer('queue', m.id) end
  emit(m.run, 'pending', m.id)
end

-- What aging did to a task's place is undone when its waiting is over for good.
local function forget_age(m)
  local aged = call('HGET', key('task', m.id), F.aged)
  if not aged then return end
  m.score = aged:match('^%d+')
  call('HSET', key('task', m.id), F.score, m.score)
  call('HDEL', key('task', m.id), F.aged)
end
