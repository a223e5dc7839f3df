-- Ids of a run's tasks, a few ranges of arrivals a call: at most `ranges`, and no more once 128 ids are found.
-- args: run, from, ranges
-- returns: {'ok', next or -1, id ...}
-- uses: span
local chunks = call('LRANGE', key('ranges', ARGV[1]), ARGV[2], ARGV[2] + ARGV[3] - 1)
local found = {'ok', #chunks == tonumber(ARGV[3]) and ARGV[2] + ARGV[3] or -1}
for i, chunk in ipairs(chunks) do
  local first, count = span(chunk)
  for no = first, first + count - 1 do
    local id = id_at(no)
    if id ~= '' and call('HGET', key('task', id), 'run') == ARGV[1] then found[#found + 1] = id end
  end
  if #found >= 130 and i < #chunks then
    found[2] = ARGV[2] + i
    return found
  end
end
return found
