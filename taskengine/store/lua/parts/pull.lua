-- Chooses the best READY task that a slot may run, looking at 16 heads at most.
-- uses: clock, task, park, pause, obstacle, ready
-- Those of the lanes that have work, or had a moment ago, and are not paused.
local function busy(lanes, agents)
  local found, is = {}, call('SMISMEMBER', K.open, '!', '!run', unpack(lanes))
  run_paused = is[2] == 1
  for i, lane in ipairs(lanes) do
    if is[i + 2] == 1 then found[#found + 1] = lane end
  end
  if is[1] == 1 then return open_lanes(found, agents) end
  return found
end
-- Takes the best head off its lane; of one lane without comparing.
local function pop_best(lanes)
  if #lanes == 1 then return call('ZPOPMIN', key('ready', lanes[1]))[1] end
  local lane, item, score
  for _, l in ipairs(lanes) do
    local z = call('ZRANGE', key('ready', l), 0, 0, 'WITHSCORES')
    if z[1] then
      local s = tonumber(z[2])
      if not score or s < score or (s == score and z[1] < item) then lane, item, score = l, z[1], s end
    end
  end
  if item then call('ZREM', key('ready', lane), item) end
  return item
end
local function pull(lanes, agents)
  lanes = busy(lanes, agents)
  for _ = 1, 16 do
    local item = pop_best(lanes)
    if not item then return nil end
    local m = load_starting(item:sub(13))
    local reason = m and obstacle(m)
    if reason then
      park(m, reason)
    elseif m and m.st == T.READY then
      return m
    end
  end
  -- Behind these there may be others: the coordinator goes on.
  for _, lane in ipairs(lanes) do wake(lane) end
end
-- 'lane=agent' words: what the node consumes, and who would run it.
local function parse_lanes(text)
  local lanes, agents = {}, {}
  for lane, agent in text:gmatch('([^%s=]+)=(%S+)') do
    lanes[#lanes + 1] = lane
    agents[lane] = agent
  end
  return lanes, agents
end
-- A silent or draining node gets nothing new; the word says which.
local function refusal(node)
  local v = call('HMGET', key('node', node), 'until', 'drain')
  if not v[1] or tonumber(v[1]) < now then return 'silent' end
  if v[2] then return 'draining' end
end
