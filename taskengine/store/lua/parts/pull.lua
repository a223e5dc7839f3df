-- Chooses the best READY task that a slot may run, looking at 16 heads at most.
-- uses: clock, task, park
local function best_head(lanes)
  local lane, item, score
  for _, l in ipairs(lanes) do
    local z = call('ZRANGE', key('ready', l), 0, 0, 'WITHSCORES')
    if z[1] then
      local s = tonumber(z[2])
      if not score or s < score or (s == score and z[1] < item) then lane, item, score = l, z[1], s end
    end
  end
  return lane, item
end
-- Why a task may not run now, as the name of a park, or nil. Limits, resources and pauses add their reasons here.
local function obstacle(m)
  return nil
end
local function pull(lanes)
  for _ = 1, 16 do
    local lane, item = best_head(lanes)
    if not item then return nil end
    local m = load_whole(item:sub(13))
    local reason = m and obstacle(m)
    if reason then
      park(m, reason)
    else
      call('ZREM', key('ready', lane), item)
      if m and m.st == T.READY then return m end
    end
  end
end
-- 'lane=agent' words: what the node consumes, and who would run it.
local function parse_lanes(text)
  local lanes, agents = {}, {}
  for lane, agent in text:gmatch('(%S+)=(%S+)') do
    lanes[#lanes + 1] = lane
    agents[lane] = agent
  end
  return lanes, agents
end
-- A silent or draining node gets nothing new; the word says which.
local function refusal(node)
  local alive = call('ZSCORE', K.nodes, node)
  if not alive or tonumber(alive) < now then return 'silent' end
  if call('HGET', key('node', node), 'drain') then return 'draining' end
end
