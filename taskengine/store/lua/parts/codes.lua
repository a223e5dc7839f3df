-- Status by arrival number, as lists read it: four bits each, 4096 tasks a segment, so that a move writes one place and
-- all moves of a script are one command.
-- uses: clock
-- finally: flush_codes
local CODES = C.codes
local codes, emptied = {}, {}
local function set_code(no, name)
  codes[no] = CODES[name]
end
local function flush_codes()
  local segments = {}
  for no, code in pairs(codes) do
    local seg = math.floor(no / 4096)
    local s = segments[seg]
    if not s then
      s = {}
      segments[seg] = s
    end
    local n = #s
    s[n + 1], s[n + 2], s[n + 3], s[n + 4] = 'SET', 'u4', '#' .. (no - seg * 4096), code
  end
  for seg, s in pairs(segments) do
    call('BITFIELD', key('codes', seg), unpack(s))
    if emptied[seg] and call('BITPOS', key('codes', seg), 1) == -1 then
      call('DEL', key('codes', seg), key('ids', seg))
    end
  end
end
