-- What executions used of a service: counted once, whatever is killed or repeated, by agent, model and day (UTC).
-- fields: exec.spent, exec.agent, tokens, extra

local UNITS = {'requests', 'input', 'output', 'cache_read', 'cache_write'}
-- lazy
local function read_spent(text)
  local found = {}
  for line in (text or ''):gmatch('[^\n]+') do
    local a, b, c, d, e, model = line:match('^(%d+) (%d+) (%d+) (%d+) (%d+) (.*)$')
    if a then found[model] = {tonumber(a), tonumber(b), tonumber(c), tonumber(d), tonumber(e)} end
  end
  return found
end
-- lazy
local function spent_text(spent)
  local lines = {}
  for model, n in pairs(spent) do
    lines[#lines + 1] = string.format('%.0f %.0f %.0f %.0f %.0f %s', n[1], n[2], n[3], n[4], n[5], model)
  end
  table.sort(lines)
  return table.concat(lines, '\n')
end
-- Notes what an execution used so far (nil: nothing), which only grows: what of it is new is counted, also of one that is
-- over or not its slot's any more. How many tokens are new.
-- lazy
local function count_spent(eid, task, text)
  local v = text and call('HMGET', key('exec', eid), F.exec.spent, F.exec.agent)
  if not v or not v[2] then return 0 end
  local known, day, tokens, any = read_spent(v[1]), key('spent', math.floor(now / 86400000)), 0, false
  for model, numbers in pairs(read_spent(text)) do
    local before = known[model] or {0, 0, 0, 0, 0}
    for i, unit in ipairs(UNITS) do
      local more = numbers[i] - before[i]
      if more > 0 then
        any = true
        before[i] = numbers[i]
        call('HINCRBY', day, v[2] .. '\n' .. model .. '\n' .. unit, string.format('%.0f', more))
        if i > 1 then tokens = tokens + more end
      end
    end
    known[model] = before
  end
  if not any then return 0 end
  call('EXPIRE', day, 34560000)
  call('HSET', key('exec', eid), F.exec.spent, spent_text(known))
  if tokens > 0 then
    call('HINCRBY', key('task', task), F.tokens, string.format('%.0f', tokens))
    call('HSET', key('task', task), F.extra, 1)
  end
  return tokens
end
