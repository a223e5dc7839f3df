-- Finds tasks that carry every given index, newest first, in segments of 4096 arrivals.
-- args: below, limit, fits, indexes...
-- returns: {'ok', arrival to go on below or 0, counts, id ...}
-- fields: batch, run, queue, batch.state
-- fits: statuses, 'a b …'; tasks in others are not named but counted, 'status number …'. '' names all. 'staged' among
-- them names also tasks of graphs that are not committed.
-- below: 0 starts at the newest. An index 's:STATUS' is read from the status codes, 'r:RUN' and 'c:CAPABILITY' from the
-- tasks that carry the others, any other from its bitmap.
-- A look is a command; what is only counted costs a sixteenth of it. A call searches 8 segments, or passes by those
-- where no task is any more, or none that carries an index, with 1024 commands.
local MOST_READ, MOST_LOOKS, FULL, COUNT = 1024, 256, 128, 1 / 16
local below, limit = tonumber(A.below), tonumber(A.limit)
local wanted, filters, own_run, own_capability = nil, {}, nil, nil
local fits = A.fits ~= '' and {}
for status in A.fits:gmatch('%S+') do fits[CODES[status]] = true end
for i = A.indexes.first, A.indexes.last do
  local status, run, capability = A.indexes[i]:match('^s:(.*)$'), A.indexes[i]:match('^r:(.*)$'),
    A.indexes[i]:match('^c:(.*)$')
  if run or capability then
    own_run, own_capability = run or own_run, capability or own_capability
  elseif not status then
    filters[#filters + 1] = A.indexes[i]
  elseif wanted and wanted ~= CODES[status] then
    return {'ok', 0, ''}
  else
    wanted = CODES[status] or -1
  end
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
local function is_wanted(id)
  if not own_run and not own_capability then return true end
  looks = looks + 1
  local v = call('HMGET', key('task', id), F.run, F.queue)
  if own_run and v[1] ~= own_run then return false end
  return not own_capability or capability_of({id = id, lane = v[2]}) == own_capability
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
    if not staged and not own_run and not own_capability then return count(code) end
  end
  local id = id_near(no)
  if (staged and not (fits and fits[CODES.staged]) and not is_visible(id)) or not is_wanted(id) then return end
  if named then found[#found + 1] = id else count(code) end
end
local read = 0
-- A segment's bitmaps and codes; nil where one of them is gone, so that nothing in it can be meant.
local function parts_of(seg)
  local bitmaps = {}
  for i, name in ipairs(filters) do
    read = read + 1
    bitmaps[i] = call('GET', key('bits', name .. ':' .. seg))
    if not bitmaps[i] then return nil end
  end
  read = read + 1
  return bitmaps, call('GET', key('codes', seg))
end
-- Whether the search stops here: nothing more fits into this call.
local function search(seg, top)
  local bitmaps, bytes = parts_of(seg)
  if not bytes then return end
  read = read + FULL
  top = math.min(top, #bytes * 2 - 1)
  for eight = math.floor(top / 8), 0, -1 do
    local masks, any = {}, true
    for i, bitmap in ipairs(bitmaps) do
      masks[i] = bitmap:byte(eight + 1) or 0
      any = any and masks[i] > 0
    end
    for bit = any and 7 or -1, 0, -1 do
      local at, hit = eight * 8 + bit, true
      for _, mask in ipairs(masks) do hit = hit and math.floor(mask / 2 ^ (7 - bit)) % 2 == 1 end
      if hit and at <= top then
        local byte = bytes:byte(math.floor(at / 2) + 1)
        look(seg * 4096 + at, at % 2 == 0 and math.floor(byte / 16) or byte % 16)
        if #found - 3 >= limit or looks >= MOST_LOOKS then
          found[2] = seg * 4096 + at
          return true
        end
      end
    end
  end
end
if below <= 0 then below = tonumber(call('GET', K.arrivals) or 0) + 1 end
local seg = math.floor((below - 1) / 4096)
while seg >= 0 and read < MOST_READ do
  if search(seg, below - 1 - seg * 4096) then break end
  found[2] = seg * 4096
  seg = seg - 1
end
local counts = {}
for status, code in pairs(CODES) do
  if others[code] then counts[#counts + 1] = status .. ' ' .. others[code] end
end
found[3] = table.concat(counts, ' ')
return found
