-- How a task that is over counts for those that depend on it: s succeeded, f failed, c skipped. One that could not start
-- because of a failure is CANCELLED and counts as failed; its field fb says so.
-- uses: clock
local HOW = {[T.COMPLETED] = 's', [T.FAILED] = 'f', [T.CANCELLED] = 'c'}
local function how_counted(st, fb)
  return fb and 'f' or HOW[st]
end
