-- PENDING -> READY when nothing is left to wait for; what needs thought goes to the coordinator: a dependency that ended
-- badly, and every task with a trigger rule of its own (its counter of waits is below zero, see RULED in keys.py).
-- fields: status, ready, node.queues
-- uses: clock, event, task, pause, clocks
-- Lanes in which something may now be granted, and how many tasks became READY there; -1 where a slot or a grant got
-- free, too.
local made, made_list = {}, {}
local function note_lane(lane)
  if not made[lane] then made_list[#made_list + 1] = lane end
  made[lane] = -1
end
local function note_new(lane)
  if not made[lane] then
    made_list[#made_list + 1] = lane
    made[lane] = 1
  elseif made[lane] > 0 then
    made[lane] = made[lane] + 1
  end
end
-- A slot that got free may serve any lane of its node.
local function note_lanes_of(node)
  for lane in (call('HGET', key('node', node), F.node.queues) or ''):gmatch('(%S+)=') do note_lane(lane) end
end
-- Tells the coordinator that a grant may be possible; the stream is a hint, its sweep the promise.
local function wake(lane)
  call('XADD', K.wake, 'MAXLEN', '~', 1000, '*', 'l', lane)
end
local function wake_made()
  for _, lane in ipairs(made_list) do wake(lane) end
end
-- Lanes that this script has queued something into.
local lanes_known = {}
local function queue(m)
  call('ZADD', key('ready', m.lane), m.score, member(m))
  if lanes_known[m.lane] then return end
  lanes_known[m.lane] = true
  if call('SADD', K.lanes, m.lane) == 1 then open_lane(m.lane) end
end
-- Back among those that may run: whatever it held or waited for is free for others.
local function enqueue(m)
  queue(m)
  note_lane(m.lane)
end
-- What a report made READY, when its slot goes on: nil elsewhere. The best of them may start without having been queued;
-- the others are queued together, before anybody looks into the lanes.
local fresh
local function make_ready(m)
  if fresh and not m.clk then
    fresh[#fresh + 1] = m
    return
  end
  move(m, T.READY)
  call('HSET', key('task', m.id), F.status, T.READY, F.ready, now)
  if m.clk then clock_queue(m) end
  queue(m)
  note_new(m.lane)
  emit(m.run, 'ready', m.id)
end
-- The step that hears nothing of the ends that this script makes: it asks once, when all are made.
local hushed
local function ask(id, because, how)
  if id == hushed then return end
  call('XADD', K.decisions, '*', 'k', id, 'b', because or '', 'h', how)
end
-- A step that waits for nothing more: a gate ('%g') of which all completed does so too, in this very script; anything else
-- is thought about. PENDING it waits for what stands before it, RUNNING for what it consists of.
local gates, is_open_gate = {}, {}
local function try_step(m, because)
  if (m.st ~= T.PENDING and m.st ~= T.RUNNING) or (m.w ~= 0 and m.f + m.c == 0) then return end
  if m.lane ~= '%g' or m.f + m.c > 0 then return ask(m.id, because, 'counters') end
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
