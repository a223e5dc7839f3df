-- Puts parked tasks back among those that may run, in their old order: at most `most`; how many.
-- fields: parked
-- uses: clock, task, ready
local function unpark(reason, most)
  if most <= 0 then return 0 end
  local items = call('ZRANGE', key('park', reason), 0, most - 1)
  for _, item in ipairs(items) do
    local m = load(item:sub(13))
    if m and m.st == T.READY then
      call('HDEL', key('task', m.id), F.parked)
      enqueue(m)
    end
    call('ZREM', key('park', reason), item)
  end
  if #items < most then call('SREM', K.parks, reason) end
  return #items
end
