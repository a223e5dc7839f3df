-- Takes what a running execution uses beyond its first request, as soon as its limits allow.
-- args: execution, token, number, requests, input, output
-- returns: {'ok', ms until it may be used} | {'later', ms until to ask again} | {'fenced', status} | {'missing'}
-- fields: exec.hold, exec.permits, limit.paused_until, limit.opened, limit.reserved
-- number: of this permit in its execution, counting up; the same one is taken once. input, output: tokens.
-- What cannot be had within 30 s is not taken.
local MOST_MS = 30000
local e = load_execution(A.execution)
if not e then return {'missing'} end
if e.st ~= E.RUNNING or e.att ~= tonumber(A.token) then return {'fenced', e.st} end
if not e.hold then return {'ok', 0} end
local latest, at = (call('HGET', key('exec', e.id), F.exec.permits) or ''):match('^(%d+) (%d+)$')
if tonumber(latest or 0) >= tonumber(A.number) then return {'ok', math.max(0, at - now)} end
local costs = {tonumber(A.requests), tonumber(A.input), tonumber(A.output)}
local metered, may_at, words = {}, now, {}
for word in e.hold:gmatch('%S+') do
  local name, requests, input, output = word:match('^(.*)=(%d+),(%d+),(%d+)$')
  local l = load_limit(name or word)
  words[#words + 1] = word
  if name and l.is_there then
    metered[#metered + 1] = l
    words[#words] = string.format('%s=%d,%d,%d', name, requests + costs[1], input + costs[2], output + costs[3])
  end
  if not l[F.limit.opened] then may_at = math.max(may_at, l[F.limit.paused_until] or 0) end
  for i, bucket in ipairs(name and buckets() or {}) do
    if l[bucket[1]] and costs[i] > 0 then
      may_at = math.max(may_at, math.ceil(((l[bucket[2]] or 0) - AHEAD_US) / 1000))
    end
  end
end
if may_at - now > MOST_MS then return {'later', MOST_MS} end
for _, l in ipairs(metered) do
  local changed = charge(l, costs)
  changed[#changed + 1] = F.limit.reserved
  changed[#changed + 1] = (l[F.limit.reserved] or 0) + costs[2] + costs[3]
  set_in_limit(l, unpack(changed))
  watch_limit(l)
end
call('HSET', key('exec', e.id), F.exec.hold, table.concat(words, ' '), F.exec.permits, A.number .. ' ' .. may_at)
return {'ok', may_at - now}
