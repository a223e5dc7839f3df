-- Acts on timers that are due: a retry's or a schedule's task becomes READY, a pause ends.
-- What is paused has timers that stand: one that comes due is kept aside until the pause ends.
-- args: term, most, envelope
-- returns: {'ok', fired, ms until the next or -1} | {'stale'}
-- events: ready, run_resumed
-- uses: ready, grant, leader, pause, resume
if outdated(ARGV[1]) then return {'stale'} end
local due = call('ZRANGEBYSCORE', K.timers, '-inf', now, 'LIMIT', 0, ARGV[2])
for _, item in ipairs(due) do
  local kind, id = item:match('^(%w+):(.*)$')
  local m = load(id)
  local settles = m and m.batch
  local scope = m and not settles and is_any_paused() and pause_of(m)
  if kind == 'resume' then
    resume(id, 'its time')
  elseif scope then
    call('ZADD', key('stands', scope), call('ZSCORE', K.timers, item), item)
    call('SADD', K.standing, scope)
  elseif m and m.st == T.RETRYING and kind == 'retry' then
    call('HDEL', key('task', id), 'due', 'err', 'knd')
    make_ready(m)
  elseif m and m.st == T.PENDING and kind == 'schedule' and not settles then
    call('HDEL', key('task', id), 'due')
    m.due = false
    try_ready(m, '')
  end
  if settles then call('ZADD', K.timers, now + 1000, item) else call('ZREM', K.timers, item) end
end
grant_made()
local nearest = call('ZRANGE', K.timers, 0, 0, 'WITHSCORES')
return {'ok', #due, nearest[2] and math.max(0, nearest[2] - now) or -1}
