-- What lists read, by arrival number, 4096 tasks a segment: a bitmap for each filter value, and one string with the
-- status of each arrival in four bits, so that a move writes one place and all moves of a script are one command.
-- uses: clock
-- finally: flush_codes
local CODES = C.codes
local codes, emptied = {}, {}
local function mark(no, index, on)
  local seg = math.floor(no / 4096)
  call('SETBIT', key('bits', index .. ':' .. seg), no - seg * 4096, on)
end
local function unmark(no, index)
  local seg = math.floor(no / 4096)
  local name = key('bits', index .. ':' .. seg)
  call('SETBIT', name, no - seg * 4096, 0)
  if call('BITPOS', name, 1) == -1 then call('DEL', name) end
end
local function set_code(no, name)
  codes[no] = CODES[name]
end
-- Nobody is at this arrival any more.
local function clear_code(no)
  codes[no] = 0
  emptied[math.floor(no / 4096)] = true
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
