-- What a limit says of what its executions hold, and they, as of one moment.
-- args: limits...
-- reply limit: reserved, held, probe, unwatched
-- returns: {limit ...}
-- fields: limit.reserved, limit.probe, exec.status, exec.hold
-- held: tokens that they hold; of more than 1 000 executions nobody adds it up, and it is what is reserved. probe: an
-- execution that a half-open breaker let through and that does not run, or ''. unwatched: ms when it opens by itself
-- without anybody looking again, or ''.
local found = {}
for i = A.limits.first, A.limits.last do
  local name, held = A.limits[i], 0
  local l = load_limit(name)
  local reserved, members = l[F.limit.reserved] or 0, call('SMEMBERS', key('flight', name))
  for _, eid in ipairs(#members > 1000 and {} or members) do
    for word in (call('HGET', key('exec', eid), F.exec.hold) or ''):gmatch('%S+') do
      local of, input, output = word:match('^(.*)=%d+,(%d+),(%d+)$')
      if of == name then held = held + input + output end
    end
  end
  local probe = l[F.limit.probe]
  local runs = probe and call('HGET', key('exec', probe), F.exec.status) == E.RUNNING
  local room, opens = room_of(l)
  local is_watched = room > 0 or not opens or call('ZSCORE', K.timers, 'open:' .. name)
  found[#found + 1] = R.limit{reserved = reserved, held = #members > 1000 and reserved or held,
    probe = probe and not runs and probe or '', unwatched = is_watched and '' or opens}
end
return found
