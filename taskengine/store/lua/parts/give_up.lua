-- Ends a task that does not run, wherever it waits.
-- fields: pause, timers_left
-- uses: clock, task, ready, finish, unqueue, timers
local function give_up(m, to, note, ...)
  if m.granted then drop_grant(m) elseif m.st == T.READY then leave_ready(m) end
  -- The timers of clk are dropped by finish; nobody else has one.
  if m.due or m.st == T.PAUSED then drop_timers(m.id) end
  if m.st == T.PAUSED then call('HDEL', key('task', m.id), F.pause, F.timers_left) end
  finish(m, to, note, ...)
  if not is_step(m) then note_lane(m.lane) end
end
