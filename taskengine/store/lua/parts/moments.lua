-- When neighbours were created: the earliest and the latest moment of each 256 arrivals, of the 4096 of a segment ('all'),
-- and how many of them these are the moments of. A search by moment passes by those that are of another time. Clocks
-- jump, so an arrival says nothing of the moments of others; and where not all are counted (a version before this one
-- stored some) nothing is said.

local NEIGHBOURS = 256
local function span_with(noted, more)
  local low, high, count = now, now, 0
  if noted then low, high, count = noted:match('(%d+) (%d+) (%d+)') end
  return string.format('%.0f %.0f %d', math.min(low, now), math.max(high, now), count + more)
end
-- The arrivals [first, first + n) come now. is_again: they were counted before, and some are stored only now.
local function note_moments(first, n, is_again)
  local at, last = first, first + n - 1
  while at <= last do
    local place = math.floor(at / NEIGHBOURS)
    local name, field = key('moments', math.floor(place / 16)), place % 16
    local ends = math.min(last, place * NEIGHBOURS + NEIGHBOURS - 1)
    local noted, more = call('HMGET', name, field, 'all'), is_again and 0 or ends - at + 1
    call('HSET', name, field, span_with(noted[1], more), 'all', span_with(noted[2], more))
    at = ends + 1
  end
end
-- The moments that are noted of `n` arrivals from `first` on, the first and the last; nil where not all are known.
local function span_of(noted, first, n, arrivals)
  local low, high, count = (noted or ''):match('(%d+) (%d+) (%d+)')
  local there = math.min(arrivals, first + n - 1) - math.max(1, first) + 1
  if tonumber(count) == there then return tonumber(low), tonumber(high) end
end
