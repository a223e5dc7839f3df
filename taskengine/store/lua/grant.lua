-- Grants READY tasks of the given lanes to free slots, 16 at most.
-- args: term, lanes..., envelope
-- returns: {'ok', granted} | {'stale'}
if outdated(A.term) then return {'stale'} end
parks_left = 256
for i = A.lanes.first, A.lanes.last do
  local lane = A.lanes[i]
  grant(lane, call('ZCARD', key('ready', lane)))
  if call('EXISTS', key('ready', lane), key('granted', lane)) == 0 then
    call('SREM', K.lanes, lane)
    call('SREM', K.open, lane)
  elseif call('SISMEMBER', K.lanes, lane) == 1 then
    open_lane(lane)  -- also one that an older release, which knew no open lanes, made
  end
end
return {'ok', granted_now}
