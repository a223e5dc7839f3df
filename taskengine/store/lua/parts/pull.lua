-- What a slot gets next: the best READY tasks that it may run.
-- fields: status, ready, node.alive_until, node.draining, node.slots

-- Chooses the best READY task that a slot may run, looking at 16 heads at most.
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
-- The best of `lanes`, which are open, looking at `most` heads.
local function pull_one(lanes, most)
  for _ = 1, most do
    local item = pop_best(lanes)
    if not item then return nil end
    local m = load_starting(item:sub(13))
    local scope = m and suspended_by(m)
    if scope then
      park(m, scope)
    elseif m and m.st == T.READY then
      return m
    end
  end
  -- Behind these there may be others: the coordinator goes on.
  for _, lane in ipairs(lanes) do wake(lane) end
end
local function pull(lanes, agents) return pull_one(busy(lanes, agents), 16) end
-- Several short tasks of one lane may go to a slot in one trip: `pace` says which kind it just ran, how long one took
-- (in µs, with all that is around it), and how many it would take. What another kind takes was learned.
local expected = {}
local function cost_of(m, pace)
  local kind = m.lane .. ' ' .. (m.name or ''):sub(1, 80):gsub('%d+', '#')
  if kind == pace.kind then return pace.each end
  if expected[kind] == nil then expected[kind] = call('HGET', K.estimates, kind) or false end
  -- Learned in whole ms; 0 is less than half of one.
  return expected[kind] and math.max(500, expected[kind] * 1000)
end
-- No slot takes more than half of its share of what waits, so the end of a flood spreads over the fleet by itself. The
-- fleet is taken to be as many slots as its nodes would have if all were like this one: a guess that costs at most
-- the time of one batch.
local function share(lane, waiting, pace)
  if pace.most == 1 or waiting < 4 or pace.kind:match('^%S+') ~= lane then return 1 end
  local slots = pace.slots * call('SCARD', key('offers', lane))
  return math.max(1, math.min(pace.most, math.floor(waiting / (2 * math.max(1, slots)))))
end
-- Whether a task may run behind others of its batch, or before them: one that was tried before goes alone, and one with
-- clocks of its own.
local function is_alone(m) return m.att > 0 or m.clk end
-- Fills a batch from tasks that `next_one` gives, best first, until one must not be in it.
local function gather(most, pace, next_one)
  local took, room, bytes = {}, C.batch_us, 262144
  while #took < most do
    local m = next_one()
    if not m then break end
    local cost = most > 1 and (is_alone(m) and C.batch_us or cost_of(m, pace) or C.batch_us) or 0
    bytes = bytes - #(m.doc or '')
    if #took > 0 and (cost > room or bytes < 0) then break end
    room = room - cost
    took[#took + 1] = m
  end
  return took
end
-- The best of one open lane, several where they are short.
local function pull_batch(lane, most, pace)
  local items, i, gone = call('ZRANGE', key('ready', lane), 0, most - 1), 0, {}
  local took = gather(most, pace, function()
    while i < #items do
      i = i + 1
      local m = load_starting(items[i]:sub(13))
      local scope = m and suspended_by(m)
      if scope then
        park(m, scope)
      elseif m and m.st == T.READY then
        return m
      else
        call('ZREM', key('ready', lane), items[i])
      end
    end
  end)
  for n, m in ipairs(took) do gone[n] = member(m) end
  if #gone > 0 then
    call('ZREM', key('ready', lane), unpack(gone))
    return took
  end
  return {pull_one({lane}, 16 - #items)}
end
local function is_before(a, b)
  local x, y = tonumber(a.score), tonumber(b.score)
  if x ~= y then return x < y end
  return a.no < b.no
end
-- READY, and among the others of their lanes; whether a lane is new.
local function queue_fresh(from)
  local lanes, new = {}, false
  for i = from, #fresh do
    local m = fresh[i]
    move(m, T.READY)
    call('HSET', key('task', m.id), F.status, T.READY, F.ready, now)
    emit(m.run, 'ready', m.id)
    local words = lanes[m.lane] or {}
    lanes[m.lane] = words
    words[#words + 1] = m.score
    words[#words + 1] = member(m)
    note_new(m.lane)
  end
  for lane, words in pairs(lanes) do
    call('ZADD', key('ready', lane), unpack(words))
    if call('SADD', K.lanes, lane) == 1 then
      open_lane(lane)
      new = true
    end
  end
  return new
end
-- Of what became READY just now the best start at once where nothing else waits for the slot; the rest is queued.
local function hand_over(lane, pace)
  if #fresh > 1 then table.sort(fresh, is_before) end
  local i, most = 0, share(lane, #fresh, pace)
  local took = gather(most, pace, function()
    local m = fresh[i + 1]
    if not m or m.lane ~= lane then return nil end
    i = i + 1
    m = load_starting(m.id)
    m.fresh = true
    return m
  end)
  for _, m in ipairs(took) do
    move(m, T.READY)
    emit(m.run, 'ready', m.id)
  end
  queue_fresh(#took + 1)
  return took
end
-- What a slot gets next of its lanes, with what the report made READY: tasks loaded as starting, in no set.
local function pull_next(lanes, agents, pace)
  local open = busy(lanes, agents)
  if #fresh > 0 then
    local lane = #open == 1 and open[1] or fresh[1].lane
    local is_free = #open == 0 and agents[lane] and not is_any_paused()
      or #open == 1 and not is_any_run_paused() and call('EXISTS', key('ready', lane)) == 0
    local best = fresh[1]
    for i = 2, is_free and #fresh or 0 do
      if is_before(fresh[i], best) then best = fresh[i] end
    end
    if is_free and best.lane == lane then
      if #open == 0 and call('SADD', K.lanes, lane) == 1 then open_lane(lane) end
      return hand_over(lane, pace)
    end
    if queue_fresh(1) then open = busy(lanes, agents) end
  end
  if #open == 1 and pace.most > 1 then
    local most = share(open[1], call('ZCARD', key('ready', open[1])), pace)
    if most > 1 then return pull_batch(open[1], most, pace) end
  end
  return {pull_one(open, 16)}
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
-- A silent or draining node gets nothing new; the word says which. And how many slots it has.
local function refusal(node)
  local v = call('HMGET', key('node', node), F.node.alive_until, F.node.draining, F.node.slots)
  if not v[1] or tonumber(v[1]) < now then return 'silent' end
  return v[2] and 'draining', tonumber(v[3]) or 1
end
