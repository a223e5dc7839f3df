-- How a task that is over counts for those that depend on it: s succeeded, f failed, c skipped. One that could not start
-- because of a failure is CANCELLED and counts as failed; its field failed_before says so. Two of these are its counters.
-- fields: failed, skipped
-- uses: clock
local HOW = {[T.COMPLETED] = 's', [T.FAILED] = F.failed, [T.CANCELLED] = F.skipped}
local function how_counted(st, fb)
  return fb and F.failed or HOW[st]
end
