-- Puts a piece of a step's children: tasks, and steps of their own. The first piece says how many there will be.
-- args: term, entry, step, rests on, planned, lane, words, raw, task ..., envelope
-- returns: {'ok', children yet to put} | {'stale'} the term | {'changed'} read and decide again | {'missing'} | {'full', most}
-- events: step_running, step_created, created, ready
-- uses: step, grant, finish, ready
-- entry: the decision to delete once all children are there, or ''. planned: how many children this piece announces.
-- lane: the step's, once all are there: '%g' when it completes without a thought. words: fields to set, 'name value ...'.
local term, entry = ARGV[1], ARGV[2]
local m, no = decided_step(term, entry, ARGV[3], ARGV[4])
if not m then return no end
local planned, count = tonumber(ARGV[5]), math.floor((#ARGV - 9) / STRIDE)
if (m.st ~= T.PENDING and m.st ~= T.RUNNING) or m.fate then return {'changed'} end
if tonumber(call('HGET', key('run', m.run), 'total') or 0) + planned > C.max_graph then return {'full', C.max_graph} end
begin_step(m)
local fields = {}
for name, value in ARGV[7]:gmatch('(%S+) (%S+)') do
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
if #fields > 0 then call('HSET', key('task', m.id), unpack(fields)) end
if planned > 0 then
  m.w = call('HINCRBY', key('task', m.id), 'w', planned)
  m.tot = call('HINCRBY', key('task', m.id), 'tot', planned)
end
local first = call('INCRBY', K.arrivals, count) - count + 1
place_ids(first, count, ARGV[8])
local tasks, new = 0, {}
for i = 0, count - 1 do
  local t = read_task(9 + i * STRIDE)
  local parents, missing = parents_of(t, nil)
  if missing then error('step ' .. m.id .. ': child ' .. t.id .. ' depends on ' .. missing .. ', which is not there') end
  put_child(t, first + i, m.run, m.id, parents)
  if not is_unseen(t) then tasks = tasks + 1 end
  new[#new + 1] = t.id
end
open_run(m.run, count, '', '', tasks)
call('RPUSH', key('ranges', m.run), first .. ':' .. count)
call('RPUSH', key('kids', m.id), first .. ':' .. count)
local left_over = tonumber(m.tot) - call('HINCRBY', key('task', m.id), 'x', count)
if left_over == 0 then
  call('HSET', key('task', m.id), 'lane', ARGV[6])
  answered(entry)
end
for _, id in ipairs(new) do try_ready(load(id), '') end
drain_gates()
grant_made()
return {'ok', left_over}
