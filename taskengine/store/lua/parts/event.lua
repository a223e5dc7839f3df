-- Appends to the history of a run; the second half of the entry id is a gap-free sequence of the run. One field holds
-- the words: event, task or '-', ms, note. (A field for each costs twice the time and as many bytes.)
-- uses: clock
-- A long history loses its oldest part a hundredth at a time, and says so.
local function trim(run, last)
  call('XTRIM', key('events', run), 'MINID', '0-' .. (last - C.max_events + 1))
  call('XADD', key('events', run), '0-*', 'e', 'trimmed - ' .. now .. ' before ' .. (last - C.max_events + 1))
end
local function emit(run, what, task, note)
  local id = call('XADD', key('events', run), '0-*', 'e', what .. ' ' .. task .. ' ' .. now .. ' ' .. (note or ''))
  local number = tonumber(id:sub(3))
  if number > C.max_events and number % C.trim_every == 0 then trim(run, number) end
end
