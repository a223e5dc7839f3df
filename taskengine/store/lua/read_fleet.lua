-- What the fleet as a whole looks like: counts, leader, what is open, pauses.
-- args:
-- reply fleet: server_ms, counts, leader, numbers, pauses
-- reply numbers: timers, decisions, dead_letters, poison_decisions, open_batches, running
-- returns: fleet
return R.fleet{server_ms = now, counts = call('HGETALL', K.counts), leader = call('HGETALL', K.leader),
  pauses = call('HGETALL', K.pauses),
  numbers = R.numbers{timers = call('ZCARD', K.timers), decisions = call('XLEN', K.decisions),
    dead_letters = call('ZCARD', K.dead), poison_decisions = call('LLEN', K.poison),
    open_batches = call('ZCARD', K.batches), running = call('ZCARD', K.leases) + call('ZCARD', K.overdue)}}
