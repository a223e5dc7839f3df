// @ts-check
/** Moments on a line: between two of them, in steps that people count in. */

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1e3),
  [1, 2, 5, 10, 15, 30].map((minutes) => minutes * 6e4),
  [1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * 36e5),
);

/** Moments to be named between two, no more than *most*. @returns {{at: number[], step: number}} milliseconds */
export function ticks(from, to, most) {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? Math.ceil((to - from) / most / 36e5) * 36e5;
  const at = [];
  for (let each = Math.ceil(from / step) * step; each <= to; each += step) at.push(each);
  return { at, step };
}

/** A moment since the beginning, as exact as *step* wants. @param {number} ms @param {number} step milliseconds */
export function since(ms, step) {
  const seconds = ms / 1000;
  if (step < 1000) return `${seconds.toFixed(step < 10 ? 3 : step < 100 ? 2 : 1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours) return `${hours} h ${String(minutes).padStart(2, "0")}`;
  return rest ? `${minutes}:${String(rest).padStart(2, "0")} min` : `${minutes} min`;
}
