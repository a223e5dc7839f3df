-- Nodes: which offer a queue, what their free slots are granted, and which take nothing of it.
-- fields: attempts, granted, node.draining, node.slots, node.queues, node.alive_until, exec.task, exec.attempt
-- fields: agent.type, agent.seen, exec.status, exec.queued, node.took, node.offered, node.untaken, node.untaken_at, node.probe

-- Slots behind a queue, for what one of them may take at once. They follow who stands in its offers, so that a node that
-- left twice, or never came, changes nothing; of a node whose record is forgotten they stay, and shares are smaller.
local offered = {}
local function start_offer(node, queue, size)
  if call('SADD', key('offers', queue), node) == 1 then offered[queue] = (offered[queue] or 0) + size end
end
-- When an agent of which something is stored was served last, by a node that is gone.
-- lazy
local function note_seen(agent, at)
  local v = call('HMGET', key('agent', agent), F.agent.type, F.agent.seen)
  if v[1] and tonumber(v[2] or 0) < at then call('HSET', key('agent', agent), F.agent.seen, at) end
end
-- at: ms when the node was alive last.
local function stop_offer(node, queue, size, at)
  if call('SREM', key('offers', queue), node) == 0 then return end
  offered[queue] = (offered[queue] or 0) - size
  if queue:sub(1, 1) == '@' then note_seen(queue:sub(2), at) end
end
-- at end
local function flush_offers()
  for queue, by in pairs(offered) do
    if by ~= 0 and call('HINCRBY', K.offered_slots, queue, by) <= 0 then call('HDEL', K.offered_slots, queue) end
  end
end
-- Live nodes that offer a queue: two commands, however many they are.
-- lazy
local function offering_nodes(queue)
  local all, live = call('SMEMBERS', key('offers', queue)), {}
  for from = 1, #all, 1000 do
    local to = math.min(#all, from + 999)
    for i, alive_until in ipairs(call('ZMSCORE', K.nodes, unpack(all, from, to))) do
      if tonumber(alive_until or 0) > now then live[#live + 1] = all[from + i - 1] end
    end
  end
  return live
end
-- How many live nodes offer a queue.
local function offering(queue) return #offering_nodes(queue) end
-- Whether one of them takes work: of a crowd that drains as one, somebody is taken to, until it is gone.
-- lazy
local function is_offered(queue)
  for i, node in ipairs(offering_nodes(queue)) do
    if i > 16 or call('HEXISTS', key('node', node), F.node.draining) == 0 then return true end
  end
  return false
end

-- Gives READY tasks to free slots. Slots are computed, never counted: published minus held.
-- Which nodes have a free slot stands in a set. It is a hint, kept by whoever takes or frees a slot and right again at
-- the node's next beat: of those in it a script asks 16 at most, and takes the others to be like them. (Asking every
-- node cost two commands for each, in each script that made something READY.)
local granted_now = 0
local ENVELOPE = A.envelope
local looks_left, seen, seen_nodes, seen_free, dropped = 16, {}, 0, 0, 0
-- A node's free slots and, while something is paused or limited, what it offers; nil where 16 were asked already.
-- lazy
local function look(node)
  if seen[node] or looks_left == 0 then return seen[node] end
  looks_left = looks_left - 1
  local v = call('HMGET', key('node', node), F.node.slots, F.node.alive_until, F.node.draining,
    (is_any_paused() or is_any_limited()) and F.node.queues or F.node.draining)
  local takes = not v[3] and tonumber(v[2] or 0) > now
  local free = takes and math.max(0, (tonumber(v[1]) or 0) - call('HLEN', key('slots', node))) or 0
  if free == 0 then
    call('SREM', K.free_nodes, node)
    dropped = dropped + 1
  end
  seen[node] = {free = free, queues = ' ' .. (v[4] or '')}
  seen_nodes, seen_free = seen_nodes + 1, seen_free + free
  return seen[node]
end
-- lazy
local function agent_for(node, queue)
  local _, at = node.queues:find(' ' .. queue .. '=', 1, true)
  return at and node.queues:match('^%S+', at + 1) or ''
end
-- Of some nodes, those on which the agent that would run a queue's tasks is not paused: one command for all.
local paused_agents = {}
-- lazy
local function without_paused(nodes, queue)
  local scopes, agents, found = {}, {}, {}
  for i, node in ipairs(nodes) do
    agents[i] = agent_for(node, queue)
    if paused_agents[agents[i]] == nil then
      paused_agents[agents[i]] = false
      scopes[#scopes + 1] = 'agent:' .. agents[i]
    end
  end
  for i, record in ipairs(#scopes > 0 and call('HMGET', K.pauses, unpack(scopes)) or {}) do
    if record then paused_agents[scopes[i]:sub(7)] = true end
  end
  for i, node in ipairs(nodes) do
    if not paused_agents[agents[i]] then found[#found + 1] = node end
  end
  return found
end
-- lazy
local function as_those(others, free, nodes)
  return math.floor(others * (nodes > 0 and free / nodes or 1))
end
-- How many free slots there are where no agent gets more than its limits have room for: a grant that its claim must
-- refuse would be given again at once. Limits of eight agents are asked for, others are taken to have room.
local rooms_left = 8
-- Where one of several agents of a queue has no room, or is preferred to another, they are woken in their own queues: any
-- slot of the queue would take the grant, or only give it back. Queue -> agents with how many of their slots may be woken.
local targets = {}
-- lazy
local function free_with_room(looked, queue, others, asked)
  local free, agents, sum, chosen, is_choice = {}, {}, 0, {}, false
  for _, node in ipairs(looked) do
    local agent = agent_for(node, queue)
    if not free[agent] then agents[#agents + 1] = agent end
    free[agent] = (free[agent] or 0) + node.free
  end
  load_limits_of(agents)
  for _, agent in ipairs(agents) do
    local all, room = free[agent] + as_those(others, free[agent], asked), math.huge
    if limits_of[agent] and all > 0 and rooms_left > 0 then
      rooms_left = rooms_left - 1
      room = room_for(agent)
    end
    local one = {agent = agent, room = math.min(all, room), preference = preference_of(agent)}
    is_choice = is_choice or room < all or one.preference ~= (chosen[1] or one).preference
    sum = sum + one.room
    chosen[#chosen + 1] = one
  end
  targets[queue] = is_choice and #agents > 1 and chosen
  return sum
end
-- lazy
local function is_rather(one, other)
  if not other or one.preference ~= other.preference then return not other or one.preference < other.preference end
  return one.room > other.room
end
-- Which of them the grants that nobody claimed yet went to stands nowhere: to the first ones, as these will.
-- lazy
local function count_woken(queue, outstanding)
  if not targets[queue] then return end
  table.sort(targets[queue], is_rather)
  for _, each in ipairs(targets[queue]) do
    local woken = math.min(each.room, outstanding)
    each.room, outstanding = each.room - woken, outstanding - woken
  end
end
-- The queue in which a slot for a task is woken: that of the agent that is preferred, of equal ones that with the most
-- room, where it matters which.
-- lazy
local function wake_queue_of(m)
  local best
  for _, each in ipairs(targets[m.queue] or {}) do
    if each.room > 0 and is_rather(each, best) then best = each end
  end
  if not best then return m.queue end
  best.room = best.room - 1
  return '@' .. best.agent
end
-- Free slots of the nodes that offer a queue.
-- lazy
local function free_slots(queue)
  local nodes = call('SINTER', K.free_nodes, key('offers', queue))
  local looked, free = {}, 0
  for i = 1, #nodes do
    -- Not always the same 16 of many.
    looked[#looked + 1] = look(nodes[(now + i) % #nodes + 1])
  end
  local others = #nodes - #looked
  if is_any_paused() then looked = without_paused(looked, queue) end
  for _, node in ipairs(looked) do free = free + node.free end
  if free == 0 and others > 0 and dropped > 0 then wake(queue) end
  if free > 0 and is_any_limited() then return free_with_room(looked, queue, others, #nodes - others) end
  return free + as_those(others, free, #nodes - others)
end
-- Whether fewer grants are outstanding than twice the free slots of the fleet, counted once a script.
local hinted, all_granted
-- lazy
local function may_grant()
  if not hinted then
    hinted = call('SCARD', K.free_nodes) + dropped
    all_granted = call('ZCARD', K.granted_all)
  end
  local others = math.max(0, hinted - seen_nodes)
  return all_granted < 2 * (seen_free + math.max(others, as_those(others, seen_free, seen_nodes)))
end
-- lazy
local function wake_message(m, eid, class)
  local queue = wake_queue_of(m)
  local fill = {ID = eid, TOKEN = m.att, QUEUE = queue, PRIORITY = class, TAG = eid .. '-' .. now}
  local text = ENVELOPE:gsub('@(%u+)@', fill)
  local messages = C.queue_prefix .. queue
  if class > 0 then messages = messages .. '\6\22' .. class end
  call('LPUSH', messages, text)
end
-- lazy
local function grant_one(m)
  m.att = m.att + 1
  local eid = execution_id(m.id, m.att)
  local class = math.min(4, math.floor(tonumber(m.score) / C.class_step))
  call('ZREM', key('ready', m.queue), member(m))
  call('HSET', key('task', m.id), F.attempts, m.att, F.granted, eid)
  call('HSET', key('exec', eid), F.exec.task, m.id, F.exec.attempt, m.att, F.exec.status, E.QUEUED, F.exec.queued, now)
  call('ZADD', K.granted_all, now + C.claim_ms, eid)
  call('SADD', key('granted', m.queue), eid)
  wake_message(m, eid, class)
  granted_now = granted_now + 1
end
-- A pinned task whose agent no live node offers does not stay among those that may run.
-- lazy
local function park_unoffered(queue)
  if parks_left <= 0 then return wake(queue) end
  for _, item in ipairs(call('ZRANGE', key('ready', queue), 0, math.min(16, parks_left) - 1)) do
    local m = load(item:sub(13))
    if m then park(m, 'offer:' .. queue:sub(2)) else call('ZREM', key('ready', queue), item) end
  end
end
-- lazy
local function grant(queue, waiting)
  if waiting == 0 then return end
  if closed_by(queue) then return end
  local mine = free_slots(queue)
  if mine == 0 and queue:sub(1, 1) == '@' and not is_offered(queue) then return park_unoffered(queue) end
  if mine == 0 then return end
  local outstanding = call('SCARD', key('granted', queue))
  count_woken(queue, outstanding)
  while waiting > 0 and outstanding < mine and may_grant() do
    if granted_now >= 16 then
      wake(queue)
      return
    end
    local item = call('ZRANGE', key('ready', queue), 0, 0)[1]
    if not item then return end
    local m = load(item:sub(13))
    local scope = m and suspended_by(m)
    if m and m.st == T.READY and not scope then
      grant_one(m)
      outstanding, all_granted = outstanding + 1, all_granted + 1
    elseif parks_left <= 0 then
      wake(queue)
      return
    elseif scope then
      park(m, scope)
    else
      parks_left = parks_left - 1
      call('ZREM', key('ready', queue), item)
    end
    waiting = waiting - 1
  end
end
-- A task that became READY behind others that wait already changes nothing: they wait because no slot is free. (So a
-- report in a busy fleet does not look at every node.)
local function grant_made()
  if #freed > 0 then note_freed() end
  for _, queue in ipairs(made_list) do
    local waiting = call('ZCARD', key('ready', queue))
    if made[queue] == -1 or waiting <= made[queue] then grant(queue, waiting) end
  end
  if hosts.has_room or hosts.short then grant_short() end
end

-- Nodes that beat and take nothing of what they are granted: their consumers are cut off, or never began.
-- Grants are a queue's, so a withdrawn one counts against each node that offers it, had a slot free and claimed nothing
-- since it was given; once for all that were given together. After the third in a row none of its slots count
-- as free, in the field that grants read anyway. It is trusted again when it claims or offers what it did not, and a
-- minute after the third, and after each probe, it is given one. (Rejected: whenever its offer changes. A worker that
-- the server refuses connects again and again, and offers all and nothing by turns.)
local MOST_UNTAKEN, PROBE_MS = 3, 60000
local function is_untrusted(untaken) return tonumber(untaken or 0) >= MOST_UNTAKEN end
local function trust(node, untaken, queues_text)
  call('HSET', key('node', node), F.node.took, now, F.node.offered, queues_text)
  if untaken then call('HDEL', key('node', node), F.node.untaken, F.node.untaken_at, F.node.probe) end
  return false
end
-- Whether it offers a queue that it did not since it was trusted.
local function offers_more(node, queues_text)
  local had = ' ' .. (call('HGET', key('node', node), F.node.offered) or '')
  for queue in queues_text:gmatch('%S+=') do
    if not had:find(' ' .. queue, 1, true) then return true end
  end
  return false
end
-- 16 of them a script, not always the same.
local blames_left = 16
local function count_untaken(queue, given)
  local nodes = call('SINTER', K.free_nodes, key('offers', queue))
  for i = 1, math.min(#nodes, blames_left) do
    local node = nodes[(now + i) % #nodes + 1]
    local v = call('HMGET', key('node', node), F.node.slots, F.node.draining, F.node.took, F.node.untaken_at,
      F.node.alive_until)
    local free = tonumber(v[1] or 0) - call('HLEN', key('slots', node))
    local is_asked = tonumber(v[5] or 0) > now and not v[2] and free > 0
    if is_asked and given >= tonumber(v[3] or 0) and given >= tonumber(v[4] or 0) then
      call('HSET', key('node', node), F.node.untaken_at, now)
      if call('HINCRBY', key('node', node), F.node.untaken, 1) >= MOST_UNTAKEN then
        call('HSET', key('node', node), F.node.slots, '0', F.node.probe, now + PROBE_MS)
        call('SREM', K.free_nodes, node)
      end
    end
  end
  blames_left = blames_left - math.min(#nodes, blames_left)
end
local function probe(node, queues)
  if now < tonumber(call('HGET', key('node', node), F.node.probe) or 0) then return end
  call('HSET', key('node', node), F.node.slots, call('HLEN', key('slots', node)) + 1)
  call('SADD', K.free_nodes, node)
  local before = granted_now
  for _, queue in ipairs(queues) do
    if granted_now == before then grant(queue, math.min(1, call('ZCARD', key('ready', queue)))) end
  end
  call('HSET', key('node', node), F.node.slots, '0')
  call('SREM', K.free_nodes, node)
  if granted_now > before then call('HSET', key('node', node), F.node.probe, now + PROBE_MS) end
end
