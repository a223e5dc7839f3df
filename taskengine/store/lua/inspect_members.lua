-- What a set says of its members, and what they say of themselves, as of one moment: 128 of them.
-- args: kind, name, start
-- reply member: member, value, execution, task_id, fields
-- returns: {where to go on or -1, member ...}
-- fields: exec.task, exec.status, exec.hold, status, queue, score, parked, granted, attempts, releasing, undoing, due
-- fields: clocks, total_end, pinning, deleting, at_risk
-- kind: ready, park, granted, slots, flight, reserved, suspended, remote, orphans (with the name of one) or leases,
-- granted_all, timers, dead, releases, erasing, deadlines, overdue (without).
local kind, from = A.kind, tonumber(A.start)
local FIXED = {leases = K.leases, granted_all = K.granted_all, timers = K.timers, dead = K.dead, releases = K.releases,
  erasing = K.erasing, deadlines = K.deadlines, overdue = K.overdue}
local BY_ID = {ready = key('ready', A.name), park = key('park', A.name), granted = key('granted', A.name),
  slots = key('slots', A.name), flight = key('flight', A.name), suspended = key('suspended', A.name),
  remote = key('remote', A.name), orphans = key('orphans', A.name), reserved = key('reserved', A.name)}
local OF_EXECUTIONS = {leases = true, granted_all = true, granted = true, slots = true, flight = true, overdue = true,
  remote = true, orphans = true, reserved = true}
local function items()
  local name = FIXED[kind] or BY_ID[kind]
  if kind == 'slots' then
    local flat, held = {}, call('HGETALL', name)
    for i = 1, #held, 2 do
      for eid in held[i + 1]:match('^[^|]*'):gmatch('%S+') do
        flat[#flat + 1] = held[i]
        flat[#flat + 1] = eid
      end
    end
    return flat, -1
  end
  if kind == 'orphans' then return call('HGETALL', name), -1 end
  if kind == 'reserved' then
    local flat = {}
    for _, eid in ipairs(call('HKEYS', name)) do
      flat[#flat + 1] = eid
      flat[#flat + 1] = call('HGET', key('exec', eid), F.exec.hold) or ''
    end
    return flat, -1
  end
  if kind == 'granted' or kind == 'flight' then
    local flat = {}
    for _, m in ipairs(call('SMEMBERS', name)) do
      flat[#flat + 1] = m
      flat[#flat + 1] = kind == 'flight' and call('HGET', key('exec', m), F.exec.hold) or ''
    end
    return flat, -1
  end
  local piece = call('ZRANGE', name, from, from + 127, 'WITHSCORES')
  return piece, #piece == 256 and from + 128 or -1
end
local function task_of(member, value)
  if OF_EXECUTIONS[kind] then
    local eid = member
    if kind == 'leases' then
      local node, slot = member:match('^(.*)/(.*)$')
      value = node and call('HGET', key('slots', node), slot) or ''
    end
    if kind == 'slots' or kind == 'leases' then eid = value:match('^[^| ]*') end
    local e = call('HMGET', key('exec', eid), F.exec.task, F.exec.status)
    return e[1] or '', e[2] or ''
  end
  if kind == 'timers' or kind == 'suspended' then return member:match('^%w+:(.*)$') or '', '' end
  if kind == 'ready' or kind == 'park' then return member:sub(13), '' end
  return member, ''
end
local flat, next_from = items()
local found = {next_from}
for i = 1, #flat, 2 do
  local id, st = task_of(flat[i], flat[i + 1])
  local names, fields = {F.status, F.queue, F.score, F.parked, F.granted, F.attempts, F.releasing, F.undoing, F.due,
    F.clocks, F.total_end, F.pinning, F.deleting, F.at_risk}, {}
  local v = call('HMGET', key('task', id), unpack(names))
  for j, name in ipairs(names) do
    if v[j] then
      fields[#fields + 1] = name
      fields[#fields + 1] = v[j]
    end
  end
  found[#found + 1] = R.member{member = flat[i], value = flat[i + 1], execution = st, task_id = id, fields = fields}
end
return found
