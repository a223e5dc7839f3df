-- Milliseconds since 1970 on the server's clock, the only clock of the engine.
local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
