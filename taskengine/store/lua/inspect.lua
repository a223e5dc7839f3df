-- What a deep check must know of tasks: each with its dependencies, executions and places as of one moment.
-- args: tasks{task, index}...
-- returns: {'' when there is no such task | {fields, dependencies, executions} ...}
-- fields: status, arrival, run, queue, score, attempts, waiting, failed, skipped, held, due, batch, cancel
-- fields: crosses_runs, pinned, parked, granted, releasing, undoing, counted_as, pinning, deleting, depends_on, rule
-- fields: closed_by, started, finished, key, key_end, large_input, name, filters, clocks, total_end, pause
-- fields: pause_asked, at_risk, failed_before, reopened, kind, frame, parent, planned, placed, end_as, windowed
-- fields: exec.status, exec.task, exec.attempt, exec.node, exec.slot, exec.started, exec.ended, exec.agent
-- fields: exec.reference, exec.hold, batch.state
-- fields: signal, retrying, path, turns, extra, reference, question, answers, most_tokens, demand
-- index: names of the list filters that must find it, one a line; of a staged task its own are taken.
-- Each of the three is a list of 'name', value, ...; the lists in the second and third place hold such lists.
-- Dependencies beyond 256 and executions before the latest 32 are left out.
local FIELDS = {F.status, F.arrival, F.run, F.queue, F.score, F.attempts, F.waiting, F.failed, F.skipped, F.held,
  F.due, F.batch, F.cancel, F.crosses_runs, F.pinned, F.parked, F.granted, F.releasing, F.undoing, F.counted_as,
  F.pinning, F.deleting, F.depends_on, F.rule, F.closed_by, F.started, F.finished, F.key, F.key_end, F.large_input,
  F.name, F.filters, F.clocks, F.total_end, F.pause, F.pause_asked, F.at_risk, F.failed_before, F.reopened, F.kind,
  F.frame, F.parent, F.planned, F.placed, F.end_as, F.windowed, F.signal, F.retrying, F.path, F.turns,
  F.extra, F.reference, F.question, F.answers, F.most_tokens, F.demand}
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
    local p, v = read_fields(key('task', d), {F.status, F.releasing, F.undoing, F.counted_as, F.finished, F.run,
      F.failed_before, F.deleting})
    named(p, 'id', d)
    if v[2] or v[3] then named(p, 'place', call('LPOS', key('dependents', d), id)) end
    found[n] = p
  end
  return found
end
local function executions(id, attempts, queue)
  local found = {}
  for n = math.max(1, attempts - 31), attempts do
    local eid = execution_id(id, n)
    local e, v = read_fields(key('exec', eid), {F.exec.status, F.exec.task, F.exec.attempt, F.exec.node, F.exec.slot,
      F.exec.started, F.exec.ended, F.exec.agent, F.exec.reference, F.exec.hold})
    named(e, 'id', eid)
    named(e, 'claim', call('ZSCORE', K.granted_all, eid))
    named(e, 'granted', call('SISMEMBER', key('granted', queue), eid))
    for word in (v[10] or ''):gmatch('%S+') do
      local name, host = word:match('^[^=]*'), word:match('^&(.*)$')
      if host then
        if call('HEXISTS', key('reserved', host), eid) == 0 then named(e, 'unreserved', host) end
      elseif call('SISMEMBER', key('flight', name), eid) == 0 then
        named(e, 'uncounted', name)
      end
    end
    if v[4] then
      named(e, 'held', call('HGET', key('slots', v[4]), v[5]))
      named(e, 'lease', call('ZSCORE', K.leases, v[4] .. '/' .. v[5]))
      if v[4] == '~' then
        named(e, 'polled', call('ZSCORE', key('remote', v[8]), eid))
        named(e, 'overdue', call('ZSCORE', K.overdue, eid))
      end
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
  local item, no = string.format('%012d', t[F.arrival]) .. id, tonumber(t[F.arrival])
  local seg = math.floor(no / 4096)
  named(f, 'in ready', call('ZSCORE', key('ready', t[F.queue]), item))
  if t[F.parked] then named(f, 'in park', call('ZSCORE', key('park', t[F.parked]), item)) end
  for _, item in ipairs(timers_of(id)) do named(f, 'in ' .. item:match('^%w+'), timer_at(item)) end
  local frame, place = t[F.frame] or id, t[F.signal] and t[F.run] .. ':' .. t[F.signal]
  if t[F.kind] and call('SISMEMBER', key('condition_waiters', frame), id) == 1 then
    named(f, 'in condition_waiters', 1)
  end
  if place then named(f, 'in signal_waiters', call('LPOS', key('signal_waiters', place), id)) end
  named(f, 'in dead', call('ZSCORE', K.dead, id))
  named(f, 'in deadlines', call('ZSCORE', K.deadlines, id))
  named(f, 'in releases', call('ZSCORE', K.releases, id))
  named(f, 'in erasing', call('ZSCORE', K.erasing, id))
  named(f, 'code', call('BITFIELD', key('codes', seg), 'GET', 'u4', '#' .. (no - seg * 4096))[1])
  named(f, 'at arrival', id_at(no))
  named(f, 'unmarked', unmarked(t[F.filters] or (is_unseen(t) and '') or index, seg, no - seg * 4096))
  -- A key whose time is over may name another task by now.
  if t[F.key] and not (t[F.key_end] and tonumber(t[F.key_end]) <= now) then
    named(f, 'owner', call('GET', key('idem', t[F.key])) or '')
  end
  if t[F.batch] then named(f, 'batch state', call('HGET', key('batch', t[F.batch]), F.batch.state) or '') end
  return {f, dependencies(id, t[F.depends_on]), executions(id, tonumber(t[F.attempts] or 0), t[F.queue])}
end
local found = {}
for i = A.tasks.first, A.tasks.last, A.tasks.width do
  found[#found + 1] = look(A.tasks[i].task, A.tasks[i].index)
end
return found
