-- Believes a provider that says how much is left, where that is less than the engine counted: others use the key, too.
-- args: agent, requests, input, output
-- returns: {'ok'}
-- Each of the three is what is left, or '' where the provider does not say.
load_limits_of({A.agent})
local left = {tonumber(A.requests), tonumber(A.input), tonumber(A.output)}
for name in (limits_of[A.agent] or ''):gmatch('%S+') do
  local l, words = load_limit(name), {}
  local costs = is_metered(l) and costs_of_one(l)
  for i, bucket in ipairs(costs and buckets() or {}) do
    local rate = l[bucket[1]]
    -- So far ahead that the next one may start when as much as it takes has come.
    local at = rate and left[i]
      and now * 1000 + math.min(FURTHEST_US, AHEAD_US + (costs[i] - left[i]) * EACH_US / rate)
    if at and at > (l[bucket[2]] or 0) then
      words[#words + 1] = bucket[2]
      words[#words + 1] = math.floor(at)
    end
  end
  if #words > 0 then
    set_in_limit(l, unpack(words))
    watch_limit(l)
  end
end
return {'ok'}
