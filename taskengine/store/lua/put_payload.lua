-- Lays JSON by reference, for an hour unless a verb takes it over; what was taken over already stays as it is.
-- args: name, text
-- returns: {'ok'}
-- A SET alone would put an end to what a repeated submit sends again: nobody takes it over a second time.
local name = key('payload', A.name)
if call('TTL', name) ~= -1 then call('SET', name, A.text, 'EX', 3600) end
return {'ok'}
