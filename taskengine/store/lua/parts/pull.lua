-- What a slot gets next: the best READY tasks that it may run.
-- fields: status, ready, node.alive_until, node.draining, node.slots

-- Chooses the best READY task that a slot may run, looking at 16 heads at most.
-- Those of the queues that have work, or had a moment ago, are not paused, and whose agent has room in its limits.
local function busy(queues, agents)
  local found, is = {}, call('SMISMEMBER', K.open_queues, '!', '!run', '!limits', '!room', unpack(queues))
  run_paused, stops.limited, stops.short = is[2] == 1, is[3] == 1, is[4] == 1
  for i, queue in ipairs(queues) do
    if is[i + 4] == 1 then found[#found + 1] = queue end
  end
  if is[1] == 1 then found = open_queues(found, agents) end
  if stops.limited then return with_room(found, agents) end
  return found
end
-- Whether a limit counts what an agent runs, or it reserves something of its host, so that it goes one by one. Asked of
-- those that `busy` answered.
local function is_limited(agent) return stops.limited and limits_of[agent] end
-- Takes the best head off its queue, or off the park in which it waited for room; of one queue without comparing.
local function pop_best(queues, agents)
  if #queues == 1 and not stops.short then return call('ZPOPMIN', key('ready', queues[1]))[1] end
  local queue, item, score
  for _, l in ipairs(queues) do
    local z = call('ZRANGE', key('ready', l), 0, 0, 'WITHSCORES')
    if z[1] then
      local s = tonumber(z[2])
      if not score or s < score or (s == score and z[1] < item) then queue, item, score = l, z[1], s end
    end
  end
  local parked = stops.short and best_parked(queues, agents)
  if parked and (not score or parked.score < score or parked.score == score and parked.item < item) then
    take_parked(parked)
    return parked.item
  end
  if item then call('ZREM', key('ready', queue), item) end
  return item
end
-- The best of `queues`, which are open, looking at `most` heads.
local function pull_one(queues, agents, most)
  for _ = 1, most do
    local item = pop_best(queues, agents)
    if not item then return nil end
    local m = load_starting(item:sub(13))
    local scope = m and suspended_by(m)
    if scope then
      park(m, scope)
    elseif m and m.st == T.READY then
      if not (m.extra or is_limited(agents[m.queue])) or fits_here(m, agents[m.queue]) then return m end
      queues = pass_over(m, queues)
    end
  end
  -- Behind these there may be others: the coordinator goes on.
  for _, queue in ipairs(queues) do wake(queue) end
end
local function pull(queues, agents) return pull_one(busy(queues, agents), agents, 16) end
-- Several short tasks of one queue may go to a slot in one trip: `hint` says which kind it just ran, how long one took
-- (in µs, with all that is around it), and how many it would take. What another kind takes was learned.
local expected = {}
local function cost_of(m, hint)
  local kind = m.queue .. ' ' .. (m.name or ''):sub(1, 80):gsub('%d+', '#')
  if kind == hint.kind then return hint.each end
  if expected[kind] == nil then expected[kind] = call('HGET', K.estimates, kind) or false end
  -- Learned in whole ms; 0 is less than half of one.
  return expected[kind] and math.max(500, expected[kind] * 1000)
end
-- No slot takes more than half of its share of what waits, so the end of a flood spreads over the fleet by itself. The
-- fleet is the slots that its nodes published, also those of a node that is given up in a moment.
local function share(queue, waiting, hint)
  if hint.most == 1 or waiting < 4 or hint.kind:match('^%S+') ~= queue then return 1 end
  local slots = math.max(hint.slots, tonumber(call('HGET', K.offered_slots, queue) or 0))
  return math.max(1, math.min(hint.most, math.floor(waiting / (2 * math.max(1, slots)))))
end
-- Whether a task may run behind others of its batch, or before them: one that was tried before goes alone, and one with
-- clocks of its own.
local function is_alone(m) return m.att > 0 or m.clk end
-- Fills a batch from tasks that `next_one` gives, best first, until one must not be in it.
local function gather(most, hint, next_one)
  local took, room, bytes = {}, C.batch_us, 262144
  while #took < most do
    local m = next_one()
    if not m then break end
    local cost = most > 1 and (is_alone(m) and C.batch_us or cost_of(m, hint) or C.batch_us) or 0
    bytes = bytes - #(m.doc or '')
    if #took > 0 and (cost > room or bytes < 0) then break end
    room = room - cost
    took[#took + 1] = m
  end
  return took
end
-- The best of one open queue, several where they are short.
local function pull_batch(queue, agents, most, hint)
  local items, i, gone = call('ZRANGE', key('ready', queue), 0, most - 1), 0, {}
  local took = gather(most, hint, function()
    while i < #items do
      i = i + 1
      local m = load_starting(items[i]:sub(13))
      local scope = m and suspended_by(m)
      if scope then
        park(m, scope)
      elseif m and m.st == T.READY then
        if m.extra and own_demand(m) ~= '' then return nil end
        return m
      else
        call('ZREM', key('ready', queue), items[i])
      end
    end
  end)
  for n, m in ipairs(took) do gone[n] = member(m) end
  if #gone > 0 then
    call('ZREM', key('ready', queue), unpack(gone))
    return took
  end
  return {pull_one({queue}, agents, 17 - i)}
end
local function is_before(a, b)
  local x, y = tonumber(a.score), tonumber(b.score)
  if x ~= y then return x < y end
  return a.no < b.no
end
-- READY, and among the others of their queues; whether a queue is new.
local function queue_fresh(from)
  local queues, new = {}, false
  for i = from, #fresh do
    local m = fresh[i]
    move(m, T.READY)
    call('HSET', key('task', m.id), F.status, T.READY, F.ready, now)
    emit(m.run, 'ready', m.id)
    local words = queues[m.queue] or {}
    queues[m.queue] = words
    words[#words + 1] = m.score
    words[#words + 1] = member(m)
    note_new(m.queue)
  end
  for queue, words in pairs(queues) do
    call('ZADD', key('ready', queue), unpack(words))
    if call('SADD', K.queues, queue) == 1 then
      open_queue(queue)
      new = true
    end
  end
  return new
end
-- Of what became READY just now the best start at once where nothing else waits for the slot; the rest is queued.
local function hand_over(queue, hint)
  if #fresh > 1 then table.sort(fresh, is_before) end
  local i, most = 0, share(queue, #fresh, hint)
  local took = gather(most, hint, function()
    local m = fresh[i + 1]
    if not m or m.queue ~= queue then return nil end
    i = i + 1
    m = load_starting(m.id)
    m.fresh = true
    if m.extra and own_demand(m) ~= '' then
      i = i - 1
      return nil
    end
    return m
  end)
  for _, m in ipairs(took) do
    move(m, T.READY)
    emit(m.run, 'ready', m.id)
  end
  queue_fresh(#took + 1)
  return took
end
-- What a slot gets next of its queues, with what the report made READY: tasks loaded as starting, in no set.
local function pull_next(queues, agents, hint)
  local open = busy(queues, agents)
  if #fresh > 0 then
    local queue = #open == 1 and open[1] or fresh[1].queue
    local is_free = not stops.short and #open == 0 and agents[queue] and not stops.limited and not is_any_paused()
      or not stops.short and #open == 1 and not is_any_run_paused() and call('EXISTS', key('ready', queue)) == 0
    local best = fresh[1]
    for i = 2, is_free and #fresh or 0 do
      if is_before(fresh[i], best) then best = fresh[i] end
    end
    if is_free and best.queue == queue and not (is_limited(agents[queue]) and share_of(agents[queue]) ~= '') then
      if is_limited(agents[queue]) then hint.most = 1 end
      if #open == 0 and call('SADD', K.queues, queue) == 1 then open_queue(queue) end
      local took = hand_over(queue, hint)
      if #took > 0 then return took end
      open = busy(queues, agents)
    elseif queue_fresh(1) then 
      open = busy(queues, agents)
    end
  end
  if #open == 1 and hint.most > 1 and not stops.short and not is_limited(agents[open[1]]) then
    local most = share(open[1], call('ZCARD', key('ready', open[1])), hint)
    if most > 1 then return pull_batch(open[1], agents, most, hint) end
  end
  return {pull_one(open, agents, 16)}
end
-- 'queue=agent' words: what the node consumes, and who would run it.
local function parse_queues(text)
  local queues, agents = {}, {}
  for queue, agent in text:gmatch('([^%s=]+)=(%S+)') do
    queues[#queues + 1] = queue
    agents[queue] = agent
  end
  return queues, agents
end
-- A silent or draining node gets nothing new; the word says which. And how many slots it has.
local function refusal(node)
  local v = call('HMGET', key('node', node), F.node.alive_until, F.node.draining, F.node.slots)
  hosts.asked_by = node
  if not v[1] or tonumber(v[1]) < now then return 'silent' end
  return v[2] and 'draining', tonumber(v[3]) or 1
end
