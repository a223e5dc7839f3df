-- What the time until a task is done depends on.
-- args: task ...
-- returns: {{status, lane, name, own estimate ms, started ms, due ms, score, position or -1, ids it depends on} | {} ...}
-- uses: task
-- position: how many stand before it in its lane. Of ids it depends on, 256 at most.
local function weight(id)
  local v = call('HMGET', key('task', id), 'st', 'lane', 'nm', 'es', 'sta', 'due', 'sc', 'no', 'on')
  if not v[1] then return {} end
  local position = v[1] == T.READY and call('ZRANK', key('ready', v[2]), string.format('%012d', v[8]) .. id)
  return {v[1], v[2], v[3] or '', v[4] or '', v[5] or '', v[6] or '', v[7], position or -1,
    (v[9] or ''):sub(1, 256 * 37 - 1)}
end
local found = {}
for i, id in ipairs(ARGV) do found[i] = weight(id) end
return found
