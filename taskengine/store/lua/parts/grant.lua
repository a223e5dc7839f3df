-- Gives READY tasks to free slots. Slots are computed, never counted: published minus held.
-- uses: clock, task, park, execution, ready, pause, obstacle
local granted_now = 0
-- How many heads that may not run this script still moves aside.
local parks_left = 16
local ENVELOPE = ARGV[#ARGV]
-- Whether the agent that would run a lane's tasks on a node is paused.
local function is_agent_paused(node, lane)
  local text = ' ' .. (call('HGET', key('node', node), 'lanes') or '')
  local _, at = text:find(' ' .. lane .. '=', 1, true)
  return at and first_paused({'agent:' .. text:match('^%S+', at + 1)})
end
-- Free slots of the nodes that offer a lane, of all nodes, and of a pinned lane whether anybody offers it.
local function free_slots(lane, pinned)
  local mine, all, offered = 0, 0, false
  for _, node in ipairs(call('ZRANGEBYSCORE', K.nodes, '(' .. now, '+inf')) do
    local v = call('HMGET', key('node', node), 'slots', 'drain')
    if not v[2] then
      local free = math.max(0, (tonumber(v[1]) or 0) - call('HLEN', key('slots', node)))
      all = all + free
      local offers = (free > 0 or pinned) and call('SISMEMBER', key('offers', lane), node) == 1
      if offers and not (paused_any and is_agent_paused(node, lane)) then
        mine = mine + free
        offered = true
      end
    end
  end
  return mine, all, offered
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
  for _, item in ipairs(call('ZRANGE', key('ready', lane), 0, 15)) do
    local m = load(item:sub(13))
    if m then park(m, 'agent:' .. lane:sub(2)) else call('ZREM', key('ready', lane), item) end
  end
end
local function grant(lane, waiting)
  if waiting == 0 then return end
  if is_any_paused() and first_paused({'all', lane_scope(lane)}) then return end
  local pinned = lane:sub(1, 1) == '@'
  local mine, all, offered = free_slots(lane, pinned)
  if pinned and not offered then return park_unoffered(lane) end
  if mine == 0 then return end
  local outstanding = call('SCARD', key('granted', lane))
  local total = call('ZCARD', K.granted_all)
  while waiting > 0 and outstanding < mine and total < 2 * all do
    if granted_now >= 16 then
      wake(lane)
      return
    end
    local item = call('ZRANGE', key('ready', lane), 0, 0)[1]
    if not item then return end
    local m = load(item:sub(13))
    local reason = m and obstacle(m)
    if reason then
      park(m, reason)
      parks_left = parks_left - 1
      if parks_left == 0 then
        wake(lane)
        return
      end
    elseif m and m.st == T.READY then
      grant_one(m)
      outstanding, total = outstanding + 1, total + 1
    else
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
