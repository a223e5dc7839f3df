-- What is paused: everything, a capability, an agent, a run. Scopes: all, cap:NAME, agent:NAME, run:ID.
-- uses: clock
-- A paused lane keeps its tasks and is not looked into, so pausing it costs the same however many wait there.
-- Whether anything is paused at all; nil = not asked. Whoever asks for lanes asks for the member '!' among them with
-- the same command: a fleet of which nothing is paused pays nothing for it.
local paused_any = nil
local function is_any_paused()
  if paused_any == nil then paused_any = call('EXISTS', K.pauses) == 1 end
  return paused_any
end
-- Whether one of the scopes is paused: the first that is, with its story.
local function first_paused(scopes)
  for i, story in ipairs(call('HMGET', K.pauses, unpack(scopes))) do
    if story then return scopes[i], story end
  end
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
  local doc = m.doc or call('HGET', key('task', m.id), 'doc') or ''
  return doc:match('^{"capability":"([^"]*)"') or doc:match('^{"assigned_to":"[^"]*","capability":"([^"]*)"') or ''
end
-- The first scope of a task that is paused, with its story.
local function pause_of(m)
  return first_paused({'all', 'run:' .. m.run, 'cap:' .. capability_of(m), lane_scope(m.lane)})
end
-- Takes the flag away; whether it was there.
local function forget_pause(scope)
  if call('HDEL', K.pauses, scope) == 0 then return false end
  paused_any = call('EXISTS', K.pauses) == 1
  if not paused_any then call('SREM', K.lanes, '!') end
  call('ZREM', K.timers, 'resume:' .. scope)
  return true
end
