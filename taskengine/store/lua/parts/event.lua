-- Appends to the history of a run; the second half of the entry id is a gap-free sequence of the run.
-- uses: clock
local function emit(run, what, task, note)
  call('XADD', key('events', run), 'MAXLEN', '~', C.max_events, '0-*', 'e', what, 'k', task, 't', now, 'x', note or '')
end
