-- Gives READY tasks to free slots. Slots are computed, never counted: published minus held.
-- uses: clock, task, park, execution, ready, pause, obstacle
local granted_now = 0
local ENVELOPE = ARGV[#ARGV]
-- Live nodes that take work, with their free slots and what they offer, read once however many lanes are granted: a
-- grant changes none of it. (A lane then costs one look, not one at each node.)
local takers, free_of, free_all, offer_of, asked_agents
local function read_nodes()
  takers, free_of, free_all, offer_of, asked_agents = {}, {}, 0, {}, {}
  for _, node in ipairs(call('ZRANGEBYSCORE', K.nodes, '(' .. now, '+inf')) do
    local v = call('HMGET', key('node', node), 'slots', 'drain')
    if not v[2] then
      takers[#takers + 1] = node
      free_of[node] = math.max(0, (tonumber(v[1]) or 0) - call('HLEN', key('slots', node)))
      free_all = free_all + free_of[node]
    end
  end
end
-- Whether the agent that would run a lane's tasks on a node is paused.
local function is_agent_paused(node, lane)
  offer_of[node] = offer_of[node] or ' ' .. (call('HGET', key('node', node), 'lanes') or '')
  local _, at = offer_of[node]:find(' ' .. lane .. '=', 1, true)
  local agent = at and offer_of[node]:match('^%S+', at + 1)
  if not agent then return false end
  if asked_agents[agent] == nil then asked_agents[agent] = first_paused({'agent:' .. agent}) ~= nil end
  return asked_agents[agent]
end
-- Free slots of the nodes that offer a lane, and whether any node offers it.
local function free_slots(lane)
  if not takers then read_nodes() end
  local mine, offered = 0, false
  local offers = #takers > 0 and call('SMISMEMBER', key('offers', lane), unpack(takers)) or {}
  for i, node in ipairs(takers) do
    if offers[i] == 1 and not (paused_any and is_agent_paused(node, lane)) then
      mine = mine + free_of[node]
      offered = true
    end
  end
  return mine, offered
end
-- Whether a live node that takes work offers a lane. (Asks those who do, not every node.)
local function is_offered(lane)
  for _, node in ipairs(call('SMEMBERS', key('offers', lane))) do
    if tonumber(call('ZSCORE', K.nodes, node) or 0) > now and call('HEXISTS', key('node', node), 'drain') == 0 then
      return true
    end
  end
  return false
end
local function wake_message(m, eid, class)
  local fill = {ID = eid, TOKEN = m.att, LANE = m.lane, PRIORITY = class, TAG = eid .. '-' .. now}
  local text = ENVELOPE:gsub('@(%u+)@', fill)
  local queue = C.queue_prefix .. m.lane
  if class > 0 then queue = queue .. '\6\22' .. class end
  call('LPUSH', queue, text)
end
local function grant_one(m)
  m.att = m.att + 1
  local eid = execution_id(m.id, m.att)
  local class = math.min(4, math.floor(tonumber(m.score) / C.class_step))
  call('ZREM', key('ready', m.lane), member(m))
  call('HSET', key('task', m.id), 'att', m.att, 'g', eid)
  call('HSET', key('exec', eid), 'task', m.id, 'att', m.att, 'st', E.QUEUED, 'q', now)
  call('ZADD', K.granted_all, now + C.claim_ms, eid)
  call('SADD', key('granted', m.lane), eid)
  wake_message(m, eid, class)
  granted_now = granted_now + 1
end
-- A pinned task whose agent no live node offers does not stay among those that may run.
local function park_unoffered(lane)
  if parks_left <= 0 then return wake(lane) end
  for _, item in ipairs(call('ZRANGE', key('ready', lane), 0, math.min(16, parks_left) - 1)) do
    local m = load(item:sub(13))
    if m then park(m, 'agent:' .. lane:sub(2)) else call('ZREM', key('ready', lane), item) end
  end
end
local function grant(lane, waiting)
  if waiting == 0 then return end
  if is_any_paused() and first_paused({'all', lane_scope(lane)}) then return end
  local pinned = lane:sub(1, 1) == '@'
  local mine, offered = free_slots(lane)
  if pinned and not offered then return park_unoffered(lane) end
  if mine == 0 then return end
  local outstanding = call('SCARD', key('granted', lane))
  local total = call('ZCARD', K.granted_all)
  while waiting > 0 and outstanding < mine and total < 2 * free_all do
    if granted_now >= 16 then
      wake(lane)
      return
    end
    local item = call('ZRANGE', key('ready', lane), 0, 0)[1]
    if not item then return end
    local m = load(item:sub(13))
    local reason = m and obstacle(m)
    if m and m.st == T.READY and not reason then
      grant_one(m)
      outstanding, total = outstanding + 1, total + 1
    elseif parks_left <= 0 then
      wake(lane)
      return
    elseif reason then
      park(m, reason)
    else
      parks_left = parks_left - 1
      call('ZREM', key('ready', lane), item)
    end
    waiting = waiting - 1
  end
end
-- A task that became READY behind others that wait already changes nothing: they wait because no slot is free. (So a
-- report in a busy fleet does not look at every node.)
local function grant_made()
  for _, lane in ipairs(made_list) do
    local waiting = call('ZCARD', key('ready', lane))
    if made[lane] == -1 or waiting <= made[lane] then grant(lane, waiting) end
  end
end
