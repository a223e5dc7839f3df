-- Limits: what agents may use at once, a minute and a day, and what each execution holds of it.
-- fields: limit.in_flight, limit.requests, limit.input, limit.output, limit.day_cap, limit.requests_at, limit.input_at
-- fields: limit.output_at, limit.input_mean, limit.output_mean, limit.reserved, limit.day, limit.day_spent
-- fields: limit.share, limit.preference, limit.paused_until, limit.why, limit.breaks, limit.failures, limit.opened, limit.probe, exec.hold
-- fields: node.queues

-- An agent counts against its own limit, 'agent:NAME', if it has one, and against those that it shares with others. What an execution
-- holds of them stands on it as words, so whatever ends it gives back exactly that, in one function.
-- Whether a limit has room is computed when somebody asks, never stored: from the set of its executions, from three
-- clocks and from a day's sum. So nothing must be opened again when a bound is raised, a day or a pause is over.
-- (Rejected: a set of agents that are full. It is right only while each end, change and moment opens all of those that
-- share the limit, and costs more: two commands for each agent of it at each start and end at the bound.)
-- A minute: all that was taken is spread over the time that it takes at nine tenths of the rate, and what is not more
-- than a tenth ahead of the clock may be taken at once. In any minute these add up to the rate and the last request.
-- Nothing waits longer than a minute for what was taken: one that took ten minutes' worth was let through all the same.
local AHEAD_US, EACH_US = 20000000 / 3, 200000000 / 3
local FURTHEST_US = EACH_US
local BUCKETS = {{F.limit.requests, F.limit.requests_at, 'requests'}, {F.limit.input, F.limit.input_at, 'input_tokens'},
  {F.limit.output, F.limit.output_at, 'output_tokens'}}
local DAY_MS = 86400000
-- What an agent's latest executions took is not known at first.
local TOKENS_AT_FIRST = 500
local limits_seen = {}
-- lazy: room
local function buckets() return BUCKETS end
-- Names of the limits of agents, as words; false where it has none.
local limits_of = {}
-- lazy: room
local function load_limits_of(agents)
  local asked = {}
  for _, agent in ipairs(agents) do
    if limits_of[agent] == nil then
      limits_of[agent] = false
      asked[#asked + 1] = agent
    end
  end
  local found = #asked > 0 and call('HMGET', K.limited, unpack(asked)) or {}
  for i, words in ipairs(found) do limits_of[asked[i]] = words end
end
-- lazy: room
local function load_limit(name)
  local l = limits_seen[name]
  if l then return l end
  l = {name = name}
  local flat = call('HGETALL', key('limit', name))
  for i = 1, #flat, 2 do l[flat[i]] = tonumber(flat[i + 1]) or flat[i + 1] end
  l.is_there = #flat > 0
  l.flight = l[F.limit.in_flight] and call('SCARD', key('flight', name)) or 0
  limits_seen[name] = l
  return l
end
-- lazy: limits
local function set_in_limit(l, ...)
  local words = {...}
  for i = 1, #words, 2 do
    l[words[i]] = words[i + 1]
    if type(words[i + 1]) == 'number' then words[i + 1] = string.format('%.0f', words[i + 1]) end
  end
  call('HSET', key('limit', l.name), unpack(words))
end
-- lazy: limits
local function clear_in_limit(l, ...)
  for _, name in ipairs({...}) do l[name] = nil end
  call('HDEL', key('limit', l.name), ...)
end
-- Whether tokens or requests of its executions are counted.
-- lazy: limits
local function is_metered(l)
  return l[F.limit.requests] or l[F.limit.input] or l[F.limit.output] or l[F.limit.day_cap]
end
-- What one execution will take of each bucket.
-- lazy: limits
local function costs_of_one(l, doc)
  local mean = l[F.limit.input_mean] or math.max(TOKENS_AT_FIRST, math.ceil(#(doc or '') / 3))
  return {1, mean, l[F.limit.output_mean] or TOKENS_AT_FIRST}
end
-- lazy: room
local function spent_today(l)
  return l[F.limit.day] == math.floor(now / DAY_MS) and l[F.limit.day_spent] or 0
end
-- Whether an execution may start. Every slot asks it before it looks for work, so it says no more than that.
-- lazy: room
local function has_room(l)
  if (l[F.limit.paused_until] or 0) > now or l[F.limit.opened] and l[F.limit.probe] then return false end
  local most, cap = l[F.limit.in_flight], l[F.limit.day_cap]
  if most and l.flight >= most then return false end
  for _, bucket in ipairs(buckets()) do
    if l[bucket[1]] and (l[bucket[2]] or 0) - now * 1000 > AHEAD_US then return false end
  end
  return not cap or spent_today(l) + (l[F.limit.reserved] or 0) < cap
end
-- lazy: room
local function may_start(agent)
  for name in (limits_of[agent] or ''):gmatch('%S+') do
    if not has_room(load_limit(name)) then return false end
  end
  return true
end
-- Of some queues those whose agent may start something.
-- lazy: room
local function with_room(queues, agents)
  local names, found = {}, {}
  for i, queue in ipairs(queues) do names[i] = agents[queue] end
  load_limits_of(names)
  for _, queue in ipairs(queues) do
    if may_start(agents[queue]) then found[#found + 1] = queue end
  end
  return found
end
-- Which of several agents with free slots is asked first: the one with the lowest number. Of an agent whose limits are
-- loaded.
-- lazy: limits
local function preference_of(agent)
  local own = (limits_of[agent] or ''):sub(1, 6) == 'agent:' and load_limit('agent:' .. agent)
  return own and own[F.limit.preference] or 5
end
-- How many executions may start, 0 where `has_room` says no; where none may, ms when that changes by itself (nil: nobody knows) and what it is.
-- lazy: limits
local function room_of(l)
  local room, opens, what = math.huge, nil, nil
  local function narrow(by, at, word)
    if by <= 0 and room <= 0 then
      if (at or 0) > (opens or 0) then opens, what = at, word end
    elseif by < room then
      room, opens, what = math.max(0, by), at, word
    end
  end
  local paused = l[F.limit.paused_until]
  if paused and paused > now then
    narrow(0, paused, l[F.limit.opened] and 'breaker' or 'paused')
  elseif l[F.limit.opened] then
    narrow(l[F.limit.probe] and 0 or 1, nil, 'breaker')
  end
  if l[F.limit.in_flight] then narrow(l[F.limit.in_flight] - l.flight, nil, 'in_flight') end
  local costs = is_metered(l) and costs_of_one(l)
  for i, bucket in ipairs(costs and buckets() or {}) do
    local rate = l[bucket[1]]
    local ahead = rate and (l[bucket[2]] or 0) - now * 1000
    if ahead and ahead > AHEAD_US then
      narrow(0, math.ceil((l[bucket[2]] - AHEAD_US) / 1000), bucket[3])
    elseif ahead then
      narrow(math.floor((AHEAD_US - math.max(0, ahead)) * rate / (costs[i] * EACH_US)) + 1, nil, bucket[3])
    end
  end
  local cap = l[F.limit.day_cap]
  if cap then
    local spent = spent_today(l)
    local left = cap - spent - (l[F.limit.reserved] or 0)
    local is_over = spent >= cap
    narrow(left > 0 and math.floor(left / (costs[2] + costs[3])) + 1 or 0,
      is_over and (math.floor(now / DAY_MS) + 1) * DAY_MS or nil, 'tokens_per_day')
  end
  return room, opens, what
end
-- The same of an agent, with the name of its narrowest limit.
-- lazy: limits
local function room_for(agent)
  load_limits_of({agent})
  local room, opens, what, name = math.huge, nil, nil, nil
  for each in (limits_of[agent] or ''):gmatch('%S+') do
    local n, at, word = room_of(load_limit(each))
    if n < room or (n == 0 and (at or 0) > (opens or 0)) then room, opens, what, name = n, at, word, each end
  end
  return room, opens, what, name
end
-- Somebody looks again when a limit that is closed has room.
-- lazy: limits
local function watch_limit(l)
  local room, opens = room_of(l)
  if room == 0 and opens then call('ZADD', K.timers, opens, 'open:' .. l.name) end
end
-- Takes of each bucket, or gives back; fields that changed, as words.
-- lazy: limits
local function charge(l, costs)
  local words = {}
  for i, bucket in ipairs(buckets()) do
    local rate = l[bucket[1]]
    if rate and costs[i] ~= 0 then
      local at = math.max(l[bucket[2]] or 0, now * 1000) + costs[i] * EACH_US / rate
      words[#words + 1] = bucket[2]
      words[#words + 1] = math.floor(math.min(at, now * 1000 + FURTHEST_US))
    end
  end
  return words
end

-- Whether some of what this script's slot holds counts against a limit: 'h', at the end of the slot's words.
local holding = ''
-- An execution that starts counts against all limits of its agent, and reserves what it demands of its host.
-- lazy: limits
local function take(eid, agent, m)
  if is_any_limited() then load_limits_of({agent}) end
  if not limits_of[agent] and not m.demand then return end
  local hold = {m.demand and reserve(eid, m)}
  for name in (limits_of[agent] or ''):gmatch('%S+') do
    local l, word = load_limit(name), name
    call('SADD', key('flight', name), eid)
    l.flight = l.flight + 1
    if l[F.limit.opened] then set_in_limit(l, F.limit.probe, eid) end
    if is_metered(l) then
      local costs = costs_of_one(l, m.doc)
      local words = charge(l, costs)
      words[#words + 1] = F.limit.reserved
      words[#words + 1] = (l[F.limit.reserved] or 0) + costs[2] + costs[3]
      set_in_limit(l, unpack(words))
      word = string.format('%s=1,%d,%d', name, costs[2], costs[3])
    end
    watch_limit(l)
    hold[#hold + 1] = word
  end
  call('HSET', key('exec', eid), F.exec.hold, table.concat(hold, ' '))
  holding = 'h'
end
-- Limits that had no room before something was given back.
local freed = {}
-- lazy: limits
local function count_day(l, tokens)
  local day = math.floor(now / DAY_MS)
  set_in_limit(l, F.limit.day, day, F.limit.day_spent, spent_today(l) + tokens)
end
-- Puts what it took in the place of what was expected; of one that nobody counted the expectation stands.
-- lazy: limits
local function settle(l, held, used)
  local words = {F.limit.reserved, math.max(0, (l[F.limit.reserved] or 0) - held[2] - held[3])}
  for _, word in ipairs(used and charge(l, {used[1] - held[1], used[2] - held[2], used[3] - held[3]}) or {}) do
    words[#words + 1] = word
  end
  for i, name in ipairs(used and used[2] + used[3] > 0 and {F.limit.input_mean, F.limit.output_mean} or {}) do
    words[#words + 1] = name
    words[#words + 1] = math.ceil(l[name] and l[name] + (used[i + 1] - l[name]) / 8 or used[i + 1])
  end
  set_in_limit(l, unpack(words))
  count_day(l, used and used[2] + used[3] or held[2] + held[3])
end
-- An execution that is over counts no more, and its host has room again. hold: its words. used: {requests, input tokens,
-- output tokens}, or nil. Whether it was the one that a half-open breaker let through.
-- lazy: limits
local function give_back(eid, hold, used)
  local was_probe, host = false, hold:match('&(%S+)')
  if host then free_room(eid, host) end
  for word in hold:gsub('&%S+', ''):gmatch('%S+') do
    local name, requests, input, output = word:match('^(.*)=(%d+),(%d+),(%d+)$')
    local l = load_limit(name or word)
    local before = room_of(l)
    if call('SREM', key('flight', l.name), eid) == 1 then l.flight = l.flight - 1 end
    if l[F.limit.probe] == eid then
      was_probe = true
      clear_in_limit(l, F.limit.probe)
    end
    if name and l.is_there then settle(l, {tonumber(requests), tonumber(input), tonumber(output)}, used) end
    if before == 0 then freed[#freed + 1] = l.name end
    watch_limit(l)
  end
  call('HDEL', key('exec', eid), F.exec.hold)
  return was_probe
end
-- What waits for an agent of a limit may be granted: of eight that share one, not always the same. Others are looked
-- after by the next beat of their workers.
-- lazy: limits
local function note_limit(name)
  local agent = name:match('^agent:(.*)$')
  for _, each in ipairs(agent and {agent} or call('SRANDMEMBER', key('sharing', name), 8)) do
    local node = call('SRANDMEMBER', key('offers', '@' .. each))
    for queue, by in (node and call('HGET', key('node', node), F.node.queues) or ''):gmatch('([^%s=]+)=(%S+)') do
      if by == each and #made_list < 16 then note_queue(queue) end
    end
  end
end
-- lazy: limits
local function note_freed()
  for _, name in ipairs(freed) do
    if room_of(load_limit(name)) > 0 then note_limit(name) end
  end
  freed = {}
end

-- A provider said when it takes requests again: nobody who shares the limit starts one before. False where the agent has
-- no limits any more.
-- lazy: limits
local function pause_limits_of(agent, ends, why)
  load_limits_of({agent})
  if not limits_of[agent] then return false end
  local own = 'agent:' .. agent
  for name in limits_of[agent]:gmatch('%S+') do
    if name ~= own or limits_of[agent] == own then
      local l = load_limit(name)
      if (l[F.limit.paused_until] or 0) < ends and not (name == own and l[F.limit.opened]) then
        set_in_limit(l, F.limit.paused_until, ends, F.limit.why, why)
      end
      watch_limit(l)
    end
  end
  return true
end

-- A breaker is an agent's: after five ends in a row that say that its service does not work it lets nothing start for a
-- while, then one execution, and by its end it closes, or stays open twice as long.
local FAILS, OPEN_MS, MOST_OPEN_MS = 5, 30000, 600000
local BREAKS = {crash = true, network = true, remote_failed = true, timeout = true}
-- The credential was refused: nobody has to fail five times with it.
local REFUSED = {auth = true, billing = true}
-- lazy: limits
local function close_breaker(agent)
  local l = load_limit('agent:' .. agent)
  if not l[F.limit.failures] and not l[F.limit.opened] then return false end
  if l[F.limit.opened] then clear_in_limit(l, F.limit.opened, F.limit.paused_until, F.limit.why, F.limit.probe) end
  clear_in_limit(l, F.limit.failures)
  freed[#freed + 1] = l.name
  return true
end
-- lazy: limits
local function open_breaker(l, ms, why)
  set_in_limit(l, F.limit.opened, (l[F.limit.opened] or 0) + 1, F.limit.paused_until, now + ms, F.limit.why, why)
  watch_limit(l)
end
-- What the end of an execution says of its agent. kind: of its error, '' when it COMPLETED.
-- lazy: limits
local function judge(agent, kind, why, was_probe, node)
  local l = load_limit('agent:' .. agent)
  if not l[F.limit.breaks] or kind == 'not_now' or kind == 'cancelled' then return end
  if REFUSED[kind] then return open_breaker(l, MOST_OPEN_MS, kind .. ' on ' .. node .. ': ' .. why) end
  if not BREAKS[kind] then return close_breaker(agent) end
  local failures = (l[F.limit.failures] or 0) + 1
  set_in_limit(l, F.limit.failures, failures)
  local opened = l[F.limit.opened]
  if opened and not was_probe or not opened and failures < FAILS then return end
  open_breaker(l, math.min(MOST_OPEN_MS, OPEN_MS * 2 ^ (opened or 0)), kind .. ' on ' .. node .. ': ' .. why)
end
-- An execution that ended by a report gives back what it holds, and says how its agent does. Whether it counted against
-- a limit.
-- lazy: limits
local function settle_limits(eid, node, agent, disposition, kind, err, more)
  local hold = call('HGET', key('exec', eid), F.exec.hold)
  if not hold then return false end
  local is_not_now = disposition:sub(-7) == 'not_now'
  local used = more ~= '' and cjson.decode(more).used or is_not_now and '1 0 0' or ''
  local requests, input, output = used:match('^(%d+) (%d+) (%d+)$')
  local counted = requests and {tonumber(requests), tonumber(input), tonumber(output)}
  judge(agent, is_not_now and 'not_now' or disposition == 'cancelled' and 'cancelled' or kind, err,
    give_back(eid, hold, counted), node)
  return (' ' .. hold):find(' [^& ]') ~= nil
end
-- Whether its agent's credential was refused: another one may run its task.
-- lazy: limits
local function is_refused(agent, kind)
  if not REFUSED[kind] then return false end
  return load_limit('agent:' .. agent)[F.limit.breaks] ~= nil
end

-- Which limits an agent counts against from now on. most: executions of its own at once, or ''. breaks: '1' or ''.
-- names: of those that it shares, words. share: what each execution reserves, or ''. preference: a digit, or '' for the
-- usual one. Another content is another chance: its breaker closes.
-- Answers the first of these that is none; then nothing is changed.
-- lazy: limits
local function share_limits(agent, most, breaks, names, share, preference)
  for name in names:gmatch('%S+') do
    if call('SISMEMBER', K.limits, name) == 0 then return name end
  end
  local own, before = 'agent:' .. agent, call('HGET', K.limited, agent) or ''
  for name in before:gmatch('%S+') do call('SREM', key('sharing', name), agent) end
  for name in names:gmatch('%S+') do call('SADD', key('sharing', name), agent) end
  close_breaker(agent)
  local words = (most .. breaks .. share .. preference) ~= '' and own .. ' ' .. names or names
  if words == '' then
    call('HDEL', K.limited, agent)
  else
    call('HSET', K.limited, agent, (words:gsub(' $', '')))
  end
  if words == names then
    call('DEL', key('limit', own))
  else
    for _, pair in ipairs({{F.limit.in_flight, most}, {F.limit.breaks, breaks}, {F.limit.share, share},
      {F.limit.preference, preference}}) do
      if pair[2] == '' then call('HDEL', key('limit', own), pair[1]) else call('HSET', key('limit', own), unpack(pair)) end
    end
  end
  limits_seen = {}
  limits_of = {}
  stops.limited = call('EXISTS', K.limited) == 1
  if stops.limited then call('SADD', K.open_queues, '!limits') else call('SREM', K.open_queues, '!limits') end
  hosts.has_room = true
  freed[#freed + 1] = own
  for name in (before .. ' ' .. names):gmatch('%S+') do freed[#freed + 1] = name end
end
