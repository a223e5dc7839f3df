// @ts-check
/** How long the canvases take: the latest durations by name, for whoever measures the page. */

const KEPT = 512;
/** @type {Map<string, number[]>} */
const found = new Map();

/** @param {string} name @param {number} ms */
export function note(name, ms) {
  const list = found.get(name) ?? [];
  if (!found.has(name)) found.set(name, list);
  if (list.push(ms) > KEPT) list.shift();
}

/** Do *work* and note how long it took. @template T @param {string} name @param {() => T} work @returns {T} */
export function timed(name, work) {
  const begin = performance.now();
  const result = work();
  note(name, performance.now() - begin);
  return result;
}

/** The first time that something happened since the page was opened, as a mark of the browser. @param {string} name */
export function first(name) {
  if (!performance.getEntriesByName(name, "mark").length) performance.mark(name);
}

/** A percentile of what was noted, NaN before anything was. @param {string} name @param {number} share 0 … 1 */
export function percentile(name, share) {
  const list = [...(found.get(name) ?? [])].sort((one, other) => one - other);
  return list.length ? list[Math.min(list.length - 1, Math.floor(list.length * share))] : NaN;
}

/** What was noted by a name. @param {string} name */
export const noted = (name) => [...(found.get(name) ?? [])];
/** Forget what was noted. */
export const clear = () => found.clear();
