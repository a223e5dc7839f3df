-- Ids of a run's tasks, a few ranges of arrivals a call.
-- args: run, from, ranges
-- returns: {'ok', next or -1, id ...}
-- uses: span
local chunks = call('LRANGE', key('ranges', ARGV[1]), ARGV[2], ARGV[2] + ARGV[3] - 1)
local found = {'ok', #chunks == tonumber(ARGV[3]) and ARGV[2] + ARGV[3] or -1}
for _, chunk in ipairs(chunks) do
  local first, count = span(chunk)
  for no = first, first + count - 1 do
    local id = id_at(no)
    if id ~= '' and call('HGET', key('task', id), 'run') == ARGV[1] then found[#found + 1] = id end
  end
end
return found
