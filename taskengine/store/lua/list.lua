-- Finds tasks that carry every given index, newest first: a bitmap a segment, 16 segments at most a call.
-- args: below, limit, index ...
-- returns: {'ok', arrival to go on below or 0, id ...}
-- uses: span, task
local below, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
if below <= 0 then below = tonumber(call('GET', K.arrivals) or 0) + 1 end
local found = {'ok', 0}
local seg = math.floor((below - 1) / 4096)
local last = math.max(0, seg - 15)
while seg >= last do
  local bytes = call('GET', key('bits', 'all:' .. seg)) or ''
  local others = {}
  for i = 3, #ARGV do others[#others + 1] = call('GET', key('bits', ARGV[i] .. ':' .. seg)) or '' end
  local top = math.min(below - 1, seg * 4096 + #bytes * 8 - 1)
  for at = math.floor((top - seg * 4096) / 8), 0, -1 do
    local byte = bytes:byte(at + 1) or 0
    if byte ~= 0 then
      for bit = 7, 0, -1 do
        local no = seg * 4096 + at * 8 + bit
        local weight = 2 ^ (7 - bit)
        local function on(b) return math.floor(b / weight) % 2 == 1 end
        if no <= top and on(byte) then
          local all = true
          for _, o in ipairs(others) do all = all and on(o:byte(at + 1) or 0) end
          if all then
            local id = id_at(no)
            local m = load(id)
            if m and m.no == no and visible(m) then found[#found + 1] = id end
            if #found - 2 >= limit then
              found[2] = no
              return found
            end
          end
        end
      end
    end
  end
  seg = seg - 1
end
if last > 0 then found[2] = last * 4096 end
return found
