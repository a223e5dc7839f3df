-- Milliseconds since 1970 on the server's clock, the only clock of the engine.
local call = redis.call
local function clock()
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local now = clock()
