-- Stores a signal of a workflow for the next step that waits for it.
-- args: workflow, name, signal, text, most, is_kept
-- returns: {'ok', 1 when it is new else 0} | {'conflict', status} | {'full'} | {'missing'}
-- events: signal_received
-- fields: queue
-- signal: an id, under which it counts once. text: JSON, with the payload. most: how many may wait under one name.
-- is_kept: '1' when its text stays known once a step took it, or ''.
local id, name = A.workflow, A.name
local m = load_step(id)
if not m or not is_workflow(m) then return {'missing'} end
local place, word = id .. ':' .. name, name .. ':' .. A.signal
if call('HEXISTS', key('received_signals', id), word) == 1 then return {'ok', 0} end
if C.terminal[m.st] then return {'conflict', m.st} end
if call('LLEN', key('inbox', place)) >= tonumber(A.most) then return {'full'} end
call('HSET', key('received_signals', id), word, A.is_kept ~= '' and A.text or now)
call('SADD', key('inboxes', id), name)
call('RPUSH', key('inbox', place), A.text)
-- A workflow that got one ends by a decision, which drops what nobody took.
if m.queue == '%g' then call('HSET', key('task', id), F.queue, '%') end
emit(m.run, 'signal_received', id, name)
ask_listener(place)
return {'ok', 1}
