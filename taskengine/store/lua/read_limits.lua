-- What limits are, and how much of them is used; 32 a call.
-- args: start, limits...
-- reply limit: name, fields, in_flight, agents, room, opens_ms, what
-- returns: {where to go on or '0', server ms, limit ...} maybe one twice
-- start: '0' at first. limits: these and no others, where any are named. room: executions that may start, -1 without a
-- bound. opens_ms, what: of one without room: when that changes by itself, '' when nobody knows, and which bound it is.
local names, on = {}, '0'
for i = A.limits.first, A.limits.last do names[#names + 1] = A.limits[i] end
if #names == 0 then
  local some = call('SSCAN', K.limits, A.start, 'COUNT', 32)
  on, names = some[1], some[2]
end
local found = {on, now}
for _, name in ipairs(names) do
  local l = load_limit(name)
  if l.is_there then
    local room, opens, what = room_of(l)
    found[#found + 1] = R.limit{name = name, fields = call('HGETALL', key('limit', name)),
      in_flight = call('SCARD', key('flight', name)), agents = call('SCARD', key('sharing', name)),
      room = room == math.huge and -1 or room, opens_ms = room == 0 and opens or '', what = room == 0 and what or ''}
  end
end
return found
