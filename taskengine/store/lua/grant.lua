-- Grants READY tasks of the given lanes to free slots, 16 at most.
-- args: term, lane ..., envelope
-- returns: {'ok', granted} | {'stale'}
-- uses: grant, leader
if outdated(ARGV[1]) then return {'stale'} end
parks_left = 256
for i = 2, #ARGV - 1 do
  local lane = ARGV[i]
  grant(lane, call('ZCARD', key('ready', lane)))
  if call('EXISTS', key('ready', lane), key('granted', lane)) == 0 then
    call('SREM', K.lanes, lane)
    call('SREM', K.open, lane)
  elseif call('SISMEMBER', K.lanes, lane) == 1 then
    open_lane(lane)  -- also one that an older release, which knew no open lanes, made
  end
end
return {'ok', granted_now}
