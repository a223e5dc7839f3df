-- Ids of what the oldest children of a loop's step were, each behind all that lies in it: the next ones to erase.
-- args: step, stay
-- returns: {id ...}, at most 32
-- fields: placed
-- stay: how many of its children are kept, the newest ones.
local most, found = 32, {}
local function collect(step, count)
  for _, chunk in ipairs(call('LRANGE', key('children', step), 0, most)) do
    local first, n = span(chunk)
    for no = first, first + n - 1 do
      if count == 0 then return end
      local id = id_at(no)
      collect(id, most)
      if #found == most then return end
      found[#found + 1] = id
      count = count - 1
    end
  end
end
collect(A.step, math.max(0, tonumber(call('HGET', key('task', A.step), F.placed) or 0) - tonumber(A.stay)))
return found
