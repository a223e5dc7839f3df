// @ts-check
/** How long a run still takes: what is left of it, by what such tasks took before. */

import { OVER, STATUS } from "./board.js";

/** Tasks that must have completed before anything is said. */
const FEWEST = 5;

/**
 * Seconds that are left: the longer of the longest path that is open and of all open work on these slots.
 * Null while too few completed to tell.
 * @param {import("./board.js").Board} board @param {number} slots @param {number} now milliseconds of the run's clock
 * @returns {number | null}
 */
export function remaining(board, slots, now) {
  const weights = left(board, now);
  if (!weights || slots < 1) return null;
  const work = weights.reduce((sum, each) => sum + each, 0);
  return Math.max(longest(board, weights), work / slots) / 1000;
}

/** Milliseconds that each task still takes, by the mean of its kind, else of all. @param {import("./board.js").Board} board @param {number} now */
function left(board, now) {
  const { of, names } = board.kinds;
  const sums = new Float64Array(names.length);
  const runs = new Uint32Array(names.length);
  let [sum, all] = [0, 0];
  for (let i = 0; i < board.size; i++) {
    if (board.status[i] !== STATUS.completed || board.start[i] < 0 || board.end[i] < board.start[i]) continue;
    const took = board.end[i] - board.start[i];
    sums[of[i]] += took;
    runs[of[i]]++;
    sum += took;
    all++;
  }
  if (all < FEWEST) return null;
  return Float64Array.from({ length: board.size }, (_, i) => {
    if (OVER.has(board.status[i])) return 0;
    const mean = runs[of[i]] ? sums[of[i]] / runs[of[i]] : sum / all;
    return board.status[i] === STATUS.running ? Math.max(0, mean - (now - board.start[i])) : mean;
  });
}

/** The heaviest path, from the ends backwards. @param {import("./board.js").Board} board @param {Float64Array} weights */
function longest(board, weights) {
  const { up, down } = board.around;
  const open = Uint32Array.from({ length: board.size }, (_, i) => down.from[i + 1] - down.from[i]);
  const behind = new Float64Array(board.size);
  const ends = [];
  for (let i = 0; i < board.size; i++) if (!open[i]) ends.push(i);
  let most = 0;
  while (ends.length) {
    const i = /** @type {number} */ (ends.pop());
    const whole = behind[i] + weights[i];
    most = Math.max(most, whole);
    for (let at = up.from[i]; at < up.from[i + 1]; at++) {
      const before = up.at[at];
      behind[before] = Math.max(behind[before], whole);
      if (!--open[before]) ends.push(before);
    }
  }
  return most;
}
