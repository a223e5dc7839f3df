-- What is paused: everything, a capability, an agent, a run. Scopes: all, cap:NAME, agent:NAME, run:ID.
-- fields: doc, queue
-- uses: clock
-- A paused lane keeps its tasks and is not looked into, so pausing it costs the same however many wait there: it leaves
-- the set of open lanes, and whoever looks for work asks that set anyway. Its member '!' says that an agent or
-- everything may be paused, '!run' that a run may be: a fleet without such a pause pays nothing for it.
-- Whether anything is paused at all, and whether a run may be; nil = not asked.
local paused_any
local run_paused
local function is_any_paused()
  if paused_any == nil then paused_any = call('EXISTS', K.pauses) == 1 end
  return paused_any
end
local function is_any_run_paused()
  if run_paused == nil then run_paused = call('SISMEMBER', K.open, '!run') == 1 end
  return run_paused
end
-- Whether one of the scopes is paused: the first that is, with its story.
local function first_paused(scopes)
  for i, story in ipairs(call('HMGET', K.pauses, unpack(scopes))) do
    if story then return scopes[i], story end
  end
end
-- Lets slots look into a lane, unless its capability is paused; safe to repeat.
local function open_lane(lane)
  if call('HEXISTS', K.pauses, 'cap:' .. lane) == 0 then call('SADD', K.open, lane) end
end
local function lane_scope(lane)
  if lane:sub(1, 1) == '@' then return 'agent:' .. lane:sub(2) end
  return 'cap:' .. lane
end
-- The lanes into which a slot may look; agents: who would run what it finds there.
local function open_lanes(lanes, agents)
  local scopes = {'all'}
  for _, lane in ipairs(lanes) do
    scopes[#scopes + 1] = lane_scope(lane)
    scopes[#scopes + 1] = 'agent:' .. agents[lane]
  end
  local is, found = call('HMGET', K.pauses, unpack(scopes)), {}
  if is[1] then return found end
  for i, lane in ipairs(lanes) do
    if not is[2 * i] and not is[2 * i + 1] then found[#found + 1] = lane end
  end
  return found
end
-- The capability stands in a pinned task's document alone; keys are sorted there, and these two come first.
local function capability_of(m)
  if m.lane:sub(1, 1) ~= '@' then return m.lane end
  local doc = m.doc or call('HGET', key('task', m.id), F.doc) or ''
  return doc:match('^{"capability":"([^"]*)"') or doc:match('^{"assigned_to":"[^"]*","capability":"([^"]*)"') or ''
end
local function scopes_of(m)
  m.lane = m.lane or call('HGET', key('task', m.id), F.queue)
  local scopes = {'all', 'run:' .. m.run, 'cap:' .. capability_of(m)}
  if m.lane:sub(1, 1) == '@' then scopes[4] = lane_scope(m.lane) end
  return scopes
end
-- The first scope of a task that is paused, with its story.
local function pause_of(m)
  return first_paused(scopes_of(m))
end
-- How long the scopes of a task have been paused until now, all their pauses together, in ms. (Where two of them are
-- paused at once, both count.)
local function paused_ms(m)
  local scopes, sum = scopes_of(m), 0
  local ended, stories = call('HMGET', K.paused, unpack(scopes)), {}
  if is_any_paused() then stories = call('HMGET', K.pauses, unpack(scopes)) end
  for i in ipairs(scopes) do
    local since = stories[i] and tonumber(stories[i]:match('^%d+'))
    sum = sum + (tonumber(ended[i]) or 0) + (since and now - since or 0)
  end
  return sum
end
-- What more than one run should know stands in a stream of its own.
local function note_control(what, scope, note)
  call('XADD', K.control, 'MAXLEN', '~', 10000, '*', 'e', what .. ' ' .. scope .. ' ' .. now .. ' ' .. note)
end
-- Takes the flag away; whether it was there.
local function forget_pause(scope)
  local story = call('HGET', K.pauses, scope)
  if not story then return false end
  call('HDEL', K.pauses, scope)
  call('HINCRBY', K.paused, scope, math.max(0, now - tonumber(story:match('^%d+'))))
  paused_any = call('EXISTS', K.pauses) == 1
  if not paused_any then call('SREM', K.open, '!', '!run') end
  local capability = scope:match('^cap:(.*)$')
  if capability and call('SISMEMBER', K.lanes, capability) == 1 then open_lane(capability) end
  call('ZREM', K.timers, 'resume:' .. scope)
  return true
end
