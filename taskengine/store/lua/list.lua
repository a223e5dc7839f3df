-- Finds tasks that carry every given index, newest first, in segments of 4096 arrivals.
-- args: below, limit, fits, indexes...
-- returns: {'ok', arrival to go on below or 0, counts, id ...}
-- fields: batch, run, queue, doc, created, error_kind, batch.state, batch.run
-- fits: statuses, 'a b …'; tasks in others are not named but counted, 'status number …'. '' names all. 'staged' among
-- them names also tasks of graphs that are not committed.
-- below: 0 starts at the newest. An index 's:STATUS' is read from the status codes, 'r:RUN' from the run's own ranges,
-- 'c:CAPABILITY' from the tasks that carry the others, 'd:TEXT' from their documents, which contain that text. From the
-- tasks, too, '>:MS' and '<:MS', created then or later, and earlier, and 'e:KIND', the kind of the last error. (Clocks
-- jump: that an arrival is older says nothing of those below it.) Any other is read from its bitmap.
-- A look is a command; what is only counted costs a sixteenth of it. Stretches that hold nothing that is meant are
-- skipped in C, a segment in some 50 microseconds; a call reads 1024 keys, or searches for 5 ms.
local MOST_READ, MOST_LOOKS, MOST_SECONDS, FULL, COUNT = 1024, 256, 0.005, 8, 1 / 16
local below, limit = tonumber(A.below), tonumber(A.limit)
local wanted, filters, own_run, own_capability, texts = nil, {}, nil, nil, {}
local since, before, own_kind
local fits = A.fits ~= '' and {}
for status in A.fits:gmatch('%S+') do fits[CODES[status]] = true end
for i = A.indexes.first, A.indexes.last do
  local status, run, capability = A.indexes[i]:match('^s:(.*)$'), A.indexes[i]:match('^r:(.*)$'),
    A.indexes[i]:match('^c:(.*)$')
  local text, kind, relation, ms = A.indexes[i]:match('^d:(.*)$'), A.indexes[i]:match('^e:(.*)$'),
    A.indexes[i]:match('^([<>]):(.*)$')
  if text then
    texts[#texts + 1] = text
  elseif kind then
    own_kind = kind
  elseif relation == '>' then
    since = tonumber(ms)
  elseif relation then
    before = tonumber(ms)
  elseif run or capability then
    own_run, own_capability = run or own_run, capability or own_capability
  elseif not status then
    filters[#filters + 1] = A.indexes[i]
  elseif wanted and wanted ~= CODES[status] then
    return {'ok', 0, ''}
  else
    wanted = CODES[status] or -1
  end
end
-- Most stores have thousands of finished tasks and none that is paused, say: nobody is searched for, nor more than
-- there are. (Whoever names staged tasks, too, finds more than are counted.)
local most = 1 / 0
if wanted and not fits then
  for status, code in pairs(CODES) do
    if code == wanted then most = tonumber(call('HGET', K.counts, status) or 0) end
  end
end
if wanted == -1 or most == 0 then return {'ok', 0, ''} end
-- A run's arrivals, newest first. Not of one with too many ranges, nor while commit waits of its fall: what does not
-- stand in its ranges yet is searched for among all others.
local ranges
local function is_settling()
  local batches = call('SRANDMEMBER', K.commits, 65)
  for i = 1, math.min(64, #batches) do
    if call('HGET', key('batch', batches[i]), F.batch.run) == own_run then return true end
  end
  return #batches == 65
end
if own_run and call('LLEN', key('ranges', own_run)) <= 1024 and not is_settling() then
  ranges = {}
  for i, text in ipairs(call('LRANGE', key('ranges', own_run), 0, -1)) do
    local first, n = span(text)
    ranges[i] = {first, first + n - 1}
  end
  table.sort(ranges, function(a, b) return a[1] > b[1] end)
  own_run = nil
end
local found, looks, states, others = {'ok', 0, ''}, 0, {}, {}
-- Staged tasks are marked from the start, and are PENDING once their graph is committed.
local function is_visible(id)
  looks = looks + 1
  local batch = call('HGET', key('task', id), F.batch)
  if not batch then return true end
  if states[batch] == nil then states[batch] = call('HGET', key('batch', batch), F.batch.state) end
  return states[batch] == 'committed'
end
-- A page of a document that is searched through is a look.
local PAGE = 4096
local function holds_texts(id)
  local doc = call('HGET', key('task', id), F.doc) or ''
  looks = looks + 1 + math.floor(#doc / PAGE)
  for _, text in ipairs(texts) do
    if not doc:find(text, 1, true) then return false end
  end
  return true
end
local function is_dated() return since or before or own_kind end
local function is_picky() return own_run or own_capability or texts[1] or is_dated() end
local function is_of_then(id)
  looks = looks + 1
  local v = call('HMGET', key('task', id), F.created, F.error_kind)
  local created = tonumber(v[1] or 0)
  if (since and created < since) or (before and created >= before) then return false end
  return not own_kind or (v[2] and v[2]:gsub('\n', ' ') == own_kind)
end
local function is_wanted(id)
  if is_dated() and not is_of_then(id) then return false end
  if texts[1] and not holds_texts(id) then return false end
  if not own_run and not own_capability then return true end
  looks = looks + 1
  local v = call('HMGET', key('task', id), F.run, F.queue)
  if own_run and v[1] ~= own_run then return false end
  return not own_capability or capability_of({id = id, queue = v[2]}) == own_capability
end
-- Ids are read for 64 neighbours at once.
local near, ids = nil, nil
local function id_near(no)
  local first = no - no % 64
  if near ~= first then near, ids = first, ids_from(first, 64) end
  return id_of(ids, no - first)
end
local function count(code) others[code] = (others[code] or 0) + 1 end
local function look(no, code)
  if code == 0 or code == CODES.step then return end
  local staged = code == CODES.staged
  if staged then code = CODES[T.PENDING] end
  if wanted and wanted ~= code then return end
  local named = not fits or fits[code]
  if not named then
    looks = looks + COUNT
    if not staged and not is_picky() then return count(code) end
  end
  local id = id_near(no)
  if (staged and not (fits and fits[CODES.staged]) and not is_visible(id)) or not is_wanted(id) then return end
  if named then found[#found + 1] = id else count(code) end
end
local read, read_segment, bitmaps, bytes = 0, nil, nil, nil
-- Reads a segment's bitmaps and codes; no codes where one of them is gone, so that nothing in it can be meant.
local function read_parts(seg)
  if read_segment == seg then return end
  read_segment, bitmaps, bytes = seg, {}, nil
  for i, name in ipairs(filters) do
    read = read + 1
    bitmaps[i] = call('GET', key('bits', name .. ':' .. seg))
    if not bitmaps[i] then return end
  end
  bytes = call('GET', key('codes', seg))
  read = read + (bytes and FULL or 1)
end
-- A pattern that finds a byte of codes in one half of which that code stands; any code where none is given.
local function pattern_of(code)
  if not code then return '[^%z]' end
  local set = {string.char(16 * code) .. '-' .. string.char(16 * code + 15)}
  for high = 0, 15 do
    local char = string.char(16 * high + code)
    if high ~= code then set[#set + 1] = char:find('%p') and '%' .. char or char end
  end
  return '[' .. table.concat(set) .. ']'
end
local patterns = {pattern_of(wanted)}
if wanted == CODES[T.PENDING] then patterns[2] = pattern_of(CODES.staged) end
local function has_any(text)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then return true end
  end
  return false
end
-- Whether something in these 64 arrivals may be meant.
local function may_hold(block)
  for _, bitmap in ipairs(bitmaps) do
    if not bitmap:sub(8 * block + 1, 8 * block + 8):find('[^%z]') then return false end
  end
  return has_any(bytes:sub(32 * block + 1, 32 * block + 32))
end
-- Looks at 8 arrivals, from `top` down to `bottom`; whether nothing more fits into this call.
local function search_eight(seg, eight, top, bottom)
  for bit = 7, 0, -1 do
    local at, hit = eight * 8 + bit, true
    for _, bitmap in ipairs(bitmaps) do
      hit = hit and math.floor((bitmap:byte(eight + 1) or 0) / 2 ^ (7 - bit)) % 2 == 1
    end
    if hit and at <= top and at >= bottom then
      local byte = bytes:byte(math.floor(at / 2) + 1)
      look(seg * 4096 + at, at % 2 == 0 and math.floor(byte / 16) or byte % 16)
      if #found - 3 >= limit or looks >= MOST_LOOKS or #found - 3 >= most then
        found[2] = #found - 3 >= most and 0 or seg * 4096 + at
        return true
      end
    end
  end
end
local function search(seg, top, bottom)
  read_parts(seg)
  if not bytes or not has_any(bytes) then return end
  top = math.min(top, #bytes * 2 - 1)
  for block = math.floor(top / 64), math.floor(bottom / 64), -1 do
    for eight = may_hold(block) and 8 * block + 7 or -1, 8 * block, -1 do
      if search_eight(seg, eight, top, bottom) then return true end
    end
  end
end
if below <= 0 then below = tonumber(call('GET', K.arrivals) or 0) + 1 end
local began = os.clock()
-- Whether the search stops here.
local function search_range(first, last)
  for seg = math.floor(last / 4096), math.floor(first / 4096), -1 do
    if read >= MOST_READ or os.clock() - began > MOST_SECONDS then return true end
    local start = seg * 4096
    if search(seg, math.min(last, start + 4095) - start, math.max(first, start) - start) then return true end
    found[2] = start
  end
end
local is_cut = false
for _, range in ipairs(ranges or {{0, below - 1}}) do
  local last = math.min(range[2], below - 1)
  if not is_cut and last >= range[1] then
    found[2] = last + 1
    is_cut = search_range(range[1], last)
  end
end
if ranges and not is_cut then found[2] = 0 end
local counts = {}
for status, code in pairs(CODES) do
  if others[code] then counts[#counts + 1] = status .. ' ' .. others[code] end
end
found[3] = table.concat(counts, ' ')
return found
