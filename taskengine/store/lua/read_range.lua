-- Ids of a run's tasks, a few ranges of arrivals a call: at most `ranges`, and no more once 128 ids are found.
-- args: run, start, ranges
-- returns: {'ok', next or -1, id ...}
-- fields: run
local chunks = call('LRANGE', key('ranges', A.run), A.start, A.start + A.ranges - 1)
local found = {'ok', #chunks == tonumber(A.ranges) and A.start + A.ranges or -1}
for i, chunk in ipairs(chunks) do
  local first, count = span(chunk)
  for no = first, first + count - 1 do
    local id = id_at(no)
    if id ~= '' and call('HGET', key('task', id), F.run) == A.run then found[#found + 1] = id end
  end
  if #found >= 130 and i < #chunks then
    found[2] = A.start + i
    return found
  end
end
return found
