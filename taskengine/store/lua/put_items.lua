-- Stores what a map step maps, a piece at a time.
-- args: term, step, first, items...
-- returns: {'ok'} | {'stale'} the term
if outdated(A.term) then return {'stale'} end
local words = {}
for i = A.items.first, A.items.last do
  words[#words + 1] = A.first + i - A.items.first
  words[#words + 1] = A.items[i]
end
call('HSET', key('items', A.step), unpack(words))
return {'ok'}
