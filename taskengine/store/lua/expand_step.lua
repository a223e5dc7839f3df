-- Puts a piece of a step's children: tasks, and steps of their own. The first piece says how many there will be.
-- args: term, entry, step, rests_on, planned, queue, limit, words, raw, tasks{staged}..., envelope
-- returns: {'ok', children yet to put} | {'stale'} the term | {'changed'} read and decide again | {'missing'} | {'full', most} | {'waits', task}
-- events: step_running, step_created, created, ready
-- fields: run.total, queue, waiting, planned, next_item, windowed, placed
-- entry: the decision to delete once all children are there, or ''. planned: how many children this piece announces.
-- limit: ms that it may take, where this begins it, or 0.
-- queue: the step's, once all are there: '%g' when it completes without a thought. words: fields to set, 'name value
-- ...'.
local term, entry = A.term, A.entry
local m, no = decided_step(term, entry, A.step, A.rests_on)
if not m then return no end
local planned, count = tonumber(A.planned), A.tasks.count
if m.st ~= T.PENDING and m.st ~= T.RUNNING then return {'changed'} end
if tonumber(call('HGET', key('run', m.run), F.run.total) or 0) + planned > C.max_graph then return {'full',
  C.max_graph} end
-- What is read may stand in a later piece of the children around it.
local rows, own = {}, {}
for i = 0, count - 1 do
  local t = read_task(A.tasks.first + i * A.tasks.width)
  rows[#rows + 1] = t
  own[t.id] = true
  for d in t.on:gmatch('%S+') do
    if not own[d] and call('EXISTS', key('task', d)) == 0 then return {'waits', d} end
  end
end
begin_step(m, tonumber(A.limit))
local fields = {}
for name, value in A.words:gmatch('(%S+) (%S+)') do
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
if #fields > 0 then call('HSET', key('task', m.id), unpack(fields)) end
if planned > 0 then
  local lower = A.queue == '%m' and m.queue ~= '%m' and C.ruled or 0
  if lower > 0 then call('HSET', key('task', m.id), F.queue, A.queue) end
  m.w = call('HINCRBY', key('task', m.id), F.waiting, planned - lower)
  m.tot = call('HINCRBY', key('task', m.id), F.planned, planned)
end
local first = call('INCRBY', K.arrivals, count) - count + 1
place_ids(first, count, A.raw)
local tasks, new = 0, {}
-- The first item of a map that may not start yet.
local opens = A.queue == '%m' and tonumber(call('HGET', key('task', m.id), F.next_item))
for i, t in ipairs(rows) do
  put_child(t, first + i - 1, m.run, m.id, parents_of(t, nil))
  if not is_unseen(t) then tasks = tasks + 1 end
  new[#new + 1] = t.id
  if opens and tonumber(m.x or 0) + i - 1 >= opens then
    call('HSET', key('task', t.id), F.windowed, 1)
    call('HINCRBY', key('task', t.id), F.waiting, 1)
  end
end
open_run(m.run, count, '', '', tasks)
call('RPUSH', key('ranges', m.run), first .. ':' .. count)
call('RPUSH', key('children', m.id), first .. ':' .. count)
local left_over = tonumber(m.tot) - call('HINCRBY', key('task', m.id), F.placed, count)
if left_over == 0 then
  local got = A.queue == '%g' and m.k == 'workflow' and call('EXISTS', key('inboxes', m.id)) == 1
  call('HSET', key('task', m.id), F.queue, got and '%' or A.queue)
  answered(entry)
end
for _, id in ipairs(new) do try_ready(load(id), '') end
drain_gates()
grant_made()
return {'ok', left_over}
