-- Reads runs: their records, where their histories end, whether they wait for their retention and are listed.
-- args: runs...
-- returns: {{fields, last event or '', finished ms or '', ms by which it stands among the graphs or ''} ...}
local found = {}
for i, run in ipairs(A.runs) do
  local last = call('XREVRANGE', key('events', run), '+', '-', 'COUNT', 1)
  found[i] = {call('HGETALL', key('run', run)), last[1] and last[1][1] or '', call('ZSCORE', K.finished, run) or '',
    call('ZSCORE', K.graphs, run) or ''}
end
return found
