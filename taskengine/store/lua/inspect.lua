-- What a deep check must know of tasks: each with its dependencies, executions and places as of one moment.
-- args: task and index pairs ...
-- returns: {'' when there is no such task | {fields, dependencies, executions} ...}
-- uses: execution, span, task, timers
-- index: names of the list filters that must find it, one a line; of a staged task its own are taken.
-- Each of the three is a list of 'name', value, ...; the lists in the second and third place hold such lists.
-- Dependencies beyond 256 and executions before the latest 32 are left out.
local FIELDS = {'st', 'no', 'run', 'lane', 'sc', 'att', 'w', 'f', 'c', 'hold', 'due', 'batch', 'cq', 'xr', 'pin', 'park',
  'g', 'rel', 'undo', 'how', 'pins', 'del', 'on', 'rule', 'by', 'sta', 'fin', 'key', 'kx', 'big', 'nm', 'ix', 'clk',
  'tend', 'pz', 'pq', 'risk', 'fb', 'ro', 'k', 'fr', 'up', 'tot', 'x', 'fate', 'at'}
local function named(list, name, value)
  if value then
    list[#list + 1] = name
    list[#list + 1] = value
  end
end
local function read_fields(name, fields)
  local v, found = call('HMGET', name, unpack(fields)), {}
  for i, field in ipairs(fields) do named(found, field, v[i]) end
  return found, v
end
local function dependencies(id, on)
  local found, n = {}, 0
  for d in (on or ''):gmatch('%S+') do
    n = n + 1
    if n > 256 then return found end
    local p, v = read_fields(key('task', d), {'st', 'rel', 'undo', 'how', 'fin', 'run', 'fb', 'del'})
    named(p, 'id', d)
    if v[2] or v[3] then named(p, 'place', call('LPOS', key('deps', d), id)) end
    found[n] = p
  end
  return found
end
local function executions(id, attempts, lane)
  local found = {}
  for n = math.max(1, attempts - 31), attempts do
    local eid = execution_id(id, n)
    local e, v = read_fields(key('exec', eid), {'st', 'task', 'att', 'node', 'slot', 's', 'e'})
    named(e, 'id', eid)
    named(e, 'claim', call('ZSCORE', K.granted_all, eid))
    named(e, 'granted', call('SISMEMBER', key('granted', lane), eid))
    if v[4] then
      named(e, 'held', call('HGET', key('slots', v[4]), v[5]))
      named(e, 'lease', call('ZSCORE', K.leases, v[4] .. '/' .. v[5]))
    end
    found[#found + 1] = e
  end
  return found
end
local function unmarked(index, seg, at)
  local found = {}
  for name in index:gmatch('[^\n]+') do
    if call('GETBIT', key('bits', name .. ':' .. seg), at) == 0 then found[#found + 1] = name end
  end
  return table.concat(found, ' ')
end
local function look(id, index)
  local f, v = read_fields(key('task', id), FIELDS)
  if not v[1] then return '' end
  local t = {}
  for i, field in ipairs(FIELDS) do t[field] = v[i] end
  local item, no = string.format('%012d', t.no) .. id, tonumber(t.no)
  local seg = math.floor(no / 4096)
  named(f, 'in ready', call('ZSCORE', key('ready', t.lane), item))
  if t.park then named(f, 'in park', call('ZSCORE', key('park', t.park), item)) end
  for _, item in ipairs(timers_of(id)) do named(f, 'in ' .. item:match('^%w+'), where_timed(item)) end
  named(f, 'in dead', call('ZSCORE', K.dead, id))
  named(f, 'in deadlines', call('ZSCORE', K.deadlines, id))
  named(f, 'in releases', call('ZSCORE', K.releases, id))
  named(f, 'in erasing', call('ZSCORE', K.erasing, id))
  named(f, 'code', call('BITFIELD', key('codes', seg), 'GET', 'u4', '#' .. (no - seg * 4096))[1])
  named(f, 'at arrival', id_at(no))
  named(f, 'unmarked', unmarked(t.ix or (is_unseen(t) and '') or index, seg, no - seg * 4096))
  -- A key whose time is over may name another task by now.
  if t.key and not (t.kx and tonumber(t.kx) <= now) then named(f, 'owner', call('GET', key('idem', t.key)) or '') end
  if t.batch then named(f, 'batch state', call('HGET', key('batch', t.batch), 'state') or '') end
  return {f, dependencies(id, t.on), executions(id, tonumber(t.att or 0), t.lane)}
end
local found = {}
for i = 1, #ARGV, 2 do found[#found + 1] = look(ARGV[i], ARGV[i + 1]) end
return found
