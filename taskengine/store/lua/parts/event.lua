-- Appends to the history of a run; the entry id is a gap-free sequence of the run.
-- uses: clock
local function emit(run, what, task, note)
  local seq = call('HINCRBY', key('run', run), 'seq', 1)
  call('XADD', key('events', run), 'MAXLEN', '~', C.max_events, seq .. '-0',
    'e', what, 'k', task, 't', now, 'x', note or '')
end
