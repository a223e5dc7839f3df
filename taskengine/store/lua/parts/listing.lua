-- What listings read: statuses, filters and ids by arrival number, 4096 tasks a segment.

-- Status by arrival number, as lists read it: four bits each, 4096 tasks a segment, so that a move writes one place and
-- all moves of a script are one command.
local CODES = C.codes
local codes, emptied = {}, {}
local function set_code(no, name)
  codes[no] = CODES[name]
end
-- at end
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

-- List filters: a bitmap over arrival numbers for each value, 4096 tasks a segment.
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

-- Ids by arrival number.
local FORMAT = '%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x'
-- The id at a place of raw ids, 0 the first.
local function id_of(raw, place)
  return string.format(FORMAT, raw:byte(place * 16 + 1, place * 16 + 16))
end
-- Raw ids of some arrivals of one segment; shorter where arrivals are to come.
local function ids_from(no, count)
  local seg = math.floor(no / 4096)
  local at = (no - seg * 4096) * 16
  return call('GETRANGE', key('ids', seg), at, at + 16 * count - 1)
end
local function id_at(no)
  local raw = ids_from(no, 1)
  if #raw < 16 then return '' end
  return id_of(raw, 0)
end
-- Raw ids of some arrivals, also across the end of a segment.
local function ids_of(first, count)
  local fits = math.min(count, 4096 - first % 4096)
  if fits == count then return ids_from(first, count) end
  return ids_from(first, fits) .. ids_from(first + fits, count - fits)
end
local function span(text)
  local first, count = text:match('(%d+):(%d+)')
  return tonumber(first), tonumber(count)
end
-- Nobody is at this arrival any more.
local function clear_code(no)
  codes[no] = 0
  emptied[math.floor(no / 4096)] = true
end
-- Writes raw ids at the arrivals [first, first + n); in two segments when they cross a border.
local function place_ids(first, n, raw)
  local seg = math.floor(first / 4096)
  local offset = first - seg * 4096
  local fits = math.min(n, 4096 - offset)
  call('SETRANGE', key('ids', seg), offset * 16, raw:sub(1, fits * 16))
  if fits < n then call('SETRANGE', key('ids', seg + 1), 0, raw:sub(fits * 16 + 1)) end
end
-- List filter -> arrivals that it shall find, in order; and the lists of them by the text that names the filters.
local marks = {}
local marks_of = {}
local function note_marks(no, index)
  local lists = marks_of[index]
  if not lists then
    lists = {}
    for name in index:gmatch('[^\n]+') do
      marks[name] = marks[name] or {}
      lists[#lists + 1] = marks[name]
    end
    marks_of[index] = lists
  end
  for _, list in ipairs(lists) do list[#list + 1] = no end
end
-- How many arrivals from place `i` on follow each other without a gap, 32 at most (what one field of a command may
-- hold), inside one segment.
local function run_length(list, i)
  local first, n = list[i], 1
  local room = math.min(32, 4096 - first % 4096)
  while n < room and list[i + n] == first + n do n = n + 1 end
  return n
end
-- One command for each filter and segment: a graph's chunk has few filters, and its arrivals are neighbours.
-- at end
local function flush_marks()
  for name, list in pairs(marks) do
    local commands, i = {}, 1
    while i <= #list do
      local seg, n = math.floor(list[i] / 4096), run_length(list, i)
      local words = commands[seg] or {}
      commands[seg] = words
      local k = #words
      words[k + 1], words[k + 2], words[k + 3], words[k + 4] = 'SET', 'u' .. n, list[i] - seg * 4096, 2 ^ n - 1
      i = i + n
    end
    for seg, words in pairs(commands) do call('BITFIELD', key('bits', name .. ':' .. seg), unpack(words)) end
  end
end
