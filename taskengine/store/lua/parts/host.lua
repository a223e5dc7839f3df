-- Hosts: what a machine has of each resource, what executions reserve of it, and which tasks wait for room.
-- fields: demand, refused, parked, limit.share, node.host, node.queues, exec.hold

-- Amounts are thousandths of a unit, as words 'NAME=milli,...' in the order of names. A task may demand some of a host,
-- and an agent may have a share that each of its executions reserves where its task does not say otherwise.
-- What an execution reserves stands in a hash of its host, execution -> words, and the host's name on the execution
-- ('&HOST' among what it holds), so whatever ends it gives it back in the one function that gives back everything. What
-- is free is added up when somebody asks. (Rejected: a counter of what is used. It would be a second truth, to be
-- counted again and again.)
-- A task that no host has room for now is parked under 'room:QUEUE|DEMAND', by its own demand, and others of its queue
-- go on. Parks keep the places of their tasks, so who looks for work compares the heads of those that fit its host with
-- the heads of its queues: nothing is put back to be set aside again. A queue has 16 such parks, and one more, 'room:
-- QUEUE|*', for all other demands: its head is asked what it demands.
-- What a script knows: `among`, queues of the slot in whose parks something is; `asked_by`, the node whose slot asks; `here`, the host of that, false where it told none: it reserves
-- nothing, and runs what it may; `seen`, hosts by name;
-- `heads`, of the parks of a queue; `passed`, how many of a queue were set aside; `short`, queues of which something that is parked may be granted; `has_room`, that a
-- host has room which it did not have. (In one table: a function may capture sixty variables and no more.)
local hosts = {}
-- lazy: hosts
local function here()
  if hosts.here == nil then
    local told = hosts.asked_by and call('HGET', key('node', hosts.asked_by), F.node.host)
    hosts.here = told and told:match('^%S+') or false
  end
  return hosts.here
end
-- lazy: hosts
local function of_hosts(what)
  hosts[what] = hosts[what] or {}
  return hosts[what]
end
-- lazy: hosts
local function parse_amounts(words)
  local found = {}
  for name, milli in words:gmatch('([^=,]+)=(%d+)') do found[name] = tonumber(milli) end
  return found
end
-- lazy: hosts
local function amount_words(amounts)
  local words = {}
  for name, milli in pairs(amounts) do words[#words + 1] = string.format('%s=%.0f', name, milli) end
  table.sort(words)
  return table.concat(words, ',')
end
-- total, used: by name. kept: the only park whose tasks may reserve something of it.
-- lazy: hosts
local function load_host(name)
  local h = of_hosts('seen')[name]
  if h then return h end
  h = {total = parse_amounts(call('HGET', K.hosts, name) or ''), used = {}, kept = call('HGET', K.kept_hosts, name)}
  local equal = {}
  for _, words in ipairs(call('HVALS', key('reserved', name))) do equal[words] = (equal[words] or 0) + 1 end
  for words, times in pairs(equal) do
    for each, milli in pairs(parse_amounts(words)) do h.used[each] = (h.used[each] or 0) + milli * times end
  end
  of_hosts('seen')[name] = h
  return h
end
-- lazy: hosts
local function share_of(agent)
  if not is_any_limited() then return '' end
  load_limits_of({agent})
  local names = limits_of[agent]
  return names and names:sub(1, 6) == 'agent:' and load_limit('agent:' .. agent)[F.limit.share] or ''
end
-- lazy: hosts
local function own_demand(m)
  if m.own == nil then m.own = call('HGET', key('task', m.id), F.demand) or '' end
  return m.own
end
-- What an execution by this agent reserves; nil for nothing.
-- lazy: hosts
local function demand_by(own, agent)
  local share = share_of(agent)
  if own == '' and share == '' then return nil end
  local found = parse_amounts(share)
  for name, milli in pairs(parse_amounts(own)) do found[name] = milli end
  return found
end
-- lazy: hosts
local function room_scope(queue, own) return 'room:' .. queue .. '|' .. own end
-- lazy: hosts
local function host_fits(name, demand, scope)
  local h = load_host(name)
  if h.kept and h.kept ~= scope then return false end
  for each, milli in pairs(demand) do
    if milli > (h.total[each] or 0) - (h.used[each] or 0) then return false end
  end
  return true
end
-- lazy: hosts
local function count_used(name, demand)
  local used = load_host(name).used
  for each, milli in pairs(demand) do used[each] = (used[each] or 0) + milli end
end
-- Whether the host of this slot has room for a task that is about to start there.
-- lazy: hosts
local function fits_here(m, agent)
  local demand = here() and demand_by(own_demand(m), agent)
  if demand and not host_fits(here(), demand, room_scope(m.queue, m.own)) then return false end
  m.demand = demand or nil
  return true
end
-- What an execution that starts here holds of its host, as a word.
-- lazy: hosts
local function reserve(eid, m)
  call('HSET', key('reserved', here()), eid, amount_words(m.demand))
  count_used(here(), m.demand)
  if load_host(here()).kept then
    call('HDEL', K.kept_hosts, here())
    of_hosts('seen')[here()].kept = nil
  end
  call('HDEL', key('task', m.id), F.refused)
  return '&' .. here()
end
-- lazy: hosts
local function free_room(eid, name)
  call('HDEL', key('reserved', name), eid)
  of_hosts('seen')[name] = nil
  hosts.has_room = true
end
-- Its work goes on elsewhere: of its host it holds nothing more, of its limits what it held.
-- lazy: hosts
local function leave_host(e)
  local name = e.hold and e.hold:match('&(%S+)')
  if not name then return end
  free_room(e.id, name)
  e.hold = e.hold:gsub('&%S+ ?', ''):match('^(.-) *$')
  if e.hold == '' then
    e.hold = nil
    call('HDEL', key('exec', e.id), F.exec.hold)
  else
    call('HSET', key('exec', e.id), F.exec.hold, e.hold)
  end
end

-- Sets a task aside until a host has room for it.
-- lazy: hosts
local function wait_for_room(m)
  local own = own_demand(m)
  if call('SCARD', key('room_waits', m.queue)) >= 16 and call('SISMEMBER', key('room_waits', m.queue), own) == 0 then
    own = '*'
  end
  call('SADD', key('room_waits', m.queue), own)
  call('SADD', K.room_queues, m.queue)
  call('SADD', K.open_queues, '!room')
  stops.short = true
  park(m, room_scope(m.queue, own))
end
-- Sets aside one that its slot has no room for. Behind eight of a queue others of it are left to the next who looks, and
-- the slot looks into its other queues: those.
-- lazy: hosts
local function pass_over(m, queues)
  wait_for_room(m)
  of_hosts('passed')[m.queue] = (of_hosts('passed')[m.queue] or 0) + 1
  if of_hosts('passed')[m.queue] < 8 or #queues == 1 then return queues end
  local others = {}
  for _, queue in ipairs(queues) do
    if queue ~= m.queue then others[#others + 1] = queue end
  end
  wake(m.queue)
  return others
end
-- lazy: hosts
local function forget_wait(queue, own)
  call('SREM', key('room_waits', queue), own)
  call('SREM', K.suspending, room_scope(queue, own))
  if call('EXISTS', key('room_waits', queue)) == 1 then return end
  call('SREM', K.room_queues, queue)
  if call('EXISTS', K.room_queues) == 0 then call('SREM', K.open_queues, '!room') end
end
-- The best one of a park, or nil.
-- lazy: hosts
local function head_of(queue, own)
  local scope = room_scope(queue, own)
  local z = call('ZRANGE', key('park', scope), 0, 0, 'WITHSCORES')
  if not z[1] then return forget_wait(queue, own) end
  local demand = own
  if own == '*' then demand = call('HGET', key('task', z[1]:sub(13)), F.demand) or '' end
  return {own = own, demand = demand, queue = queue, scope = scope, item = z[1], score = tonumber(z[2])}
end
-- lazy: hosts
local function heads_of(queue)
  local found = {}
  for _, own in ipairs(call('SMEMBERS', key('room_waits', queue))) do found[#found + 1] = head_of(queue, own) end
  return found
end
-- lazy: hosts
local function leave_park(head)
  call('ZREM', key('park', head.scope), head.item)
  call('HDEL', key('task', head.item:sub(13)), F.parked)
end
-- Of those of some queues in whose parks something is, four a script, not always the same.
-- lazy
local function short_among(queues)
  if hosts.among then return hosts.among end
  hosts.among = {}
  local is = #queues > 0 and call('SMISMEMBER', K.room_queues, unpack(queues)) or {}
  for i in ipairs(queues) do
    local at = (now + i) % #queues + 1
    if is[at] == 1 and #hosts.among < 4 then
      hosts.among[#hosts.among + 1] = queues[at]
      of_hosts('heads')[queues[at]] = heads_of(queues[at])
    end
  end
  return hosts.among
end
-- Of some queues the best parked one that fits this slot's host.
-- lazy: hosts
local function best_parked(queues, agents)
  local best
  for _, queue in ipairs(short_among(queues)) do
    for _, head in ipairs(of_hosts('heads')[queue]) do
      local is_before = not best or head.score < best.score or head.score == best.score and head.item < best.item
      local demand = is_before and here() and demand_by(head.demand, agents[queue])
      if is_before and (not demand or host_fits(here(), demand, head.scope)) then best = head end
    end
  end
  return best
end
-- lazy: hosts
local function take_parked(head)
  leave_park(head)
  local left = {head_of(head.queue, head.own)}
  for _, other in ipairs(of_hosts('heads')[head.queue]) do
    if other ~= head then left[#left + 1] = other end
  end
  of_hosts('heads')[head.queue] = left
end

-- Of what a node told before it tells something else.
-- lazy: hosts
local function quit_host(node, told)
  local name = told:match('^%S+')
  if not name then return end
  call('SREM', key('host_nodes', name), node)
  if call('EXISTS', key('host_nodes', name)) == 0 then
    call('HDEL', K.hosts, name)
    call('HDEL', K.kept_hosts, name)
  end
end
-- lazy: hosts
local function join_host(node, before, told)
  local name, totals = told:match('^(%S+) (.*)$')
  if before:match('^%S+') ~= name then quit_host(node, before) end
  call('HSET', key('node', node), F.node.host, told)
  if not name then return end
  call('SADD', key('host_nodes', name), node)
  call('HSET', K.hosts, name, totals)
  of_hosts('seen')[name] = nil
  hosts.has_room = true
end

-- lazy: hosts
local function note_short(queues)
  local is = #queues > 0 and call('SMISMEMBER', K.room_queues, unpack(queues)) or {}
  for i in ipairs(queues) do
    local at = (now + i) % #queues + 1
    if is[at] == 1 and #of_hosts('short') < 2 then table.insert(of_hosts('short'), queues[at]) end
  end
end
-- Nodes that have a free slot for a queue, 16 at most, with their host and who would run it.
-- lazy: hosts
local function free_on_hosts(queue)
  local nodes, found = call('SINTER', K.free_nodes, key('offers', queue)), {}
  for i = 1, math.min(16, #nodes) do
    local name = nodes[(now + i) % #nodes + 1]
    local node = look(name)
    if node and node.free > 0 then
      local v = call('HMGET', key('node', name), F.node.host, F.node.queues)
      local agent = agent_for({queues = ' ' .. (v[2] or '')}, queue)
      if not is_any_paused() or not first_paused({'agent:' .. agent}) then
        found[#found + 1] = {host = (v[1] or ''):match('^%S+'), agent = agent}
      end
    end
  end
  return found
end
-- Whether one of them has room; what it will reserve counts for the rest of this script.
-- lazy: hosts
local function find_room(head, nodes)
  for _, node in ipairs(nodes) do
    local demand = node.host and demand_by(head.demand, node.agent)
    if not demand or host_fits(node.host, demand, head.scope) then
      if is_any_limited() then load_limits_of({node.agent}) end
      if may_start(node.agent) then
        if demand then count_used(node.host, demand) end
        return true
      end
    end
  end
  return false
end
-- Grants what is parked and fits a host with a free slot, the best first. Its message may wake a slot of another host,
-- which sets it aside again.
-- lazy: hosts
local function grant_parked(queue)
  if closed_by(queue) then return end
  local nodes = free_on_hosts(queue)
  local heads, free = #nodes > 0 and heads_of(queue) or {}, free_slots(queue)
  local outstanding = call('SCARD', key('granted', queue))
  count_woken(queue, outstanding)
  while #heads > 0 and outstanding < free and granted_now < 16 and may_grant() do
    table.sort(heads, function(a, b) return a.score < b.score or a.score == b.score and a.item < b.item end)
    local head = table.remove(heads, 1)
    if find_room(head, nodes) then
      leave_park(head)
      local m = load(head.item:sub(13))
      local scope = m and suspended_by(m)
      if scope then
        park(m, scope)
      elseif m and m.st == T.READY then
        grant_one(m)
        outstanding, all_granted = outstanding + 1, all_granted + 1
      end
      heads[#heads + 1] = head_of(queue, head.own)
    end
  end
end
-- lazy: hosts
local function grant_short()
  if hosts.has_room then note_short(call('SRANDMEMBER', K.room_queues, 2) or {}) end
  for _, queue in ipairs(of_hosts('short')) do grant_parked(queue) end
end
