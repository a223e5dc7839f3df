// @ts-check
/**
 * A graph with the tasks of one kind in one layer folded into a stack, to be read when it is too big to be.
 *
 * Failed tasks stay single: they are what one looks for.
 */
import { STATUS } from "./board.js";

/** A stack has at least so many tasks. */
const LEAST = 3;

/**
 * What is drawn instead of tasks: item k stands for the tasks `members.at[members.from[k]]` … before `from[k + 1]`.
 * @typedef {{n: number, src: Uint32Array, dst: Uint32Array, itemOf: Uint32Array,
 *   members: import("./adjacency.js").Adjacency}} Items
 */

/**
 * Every task by itself.
 * @param {import("./board.js").Board} board @returns {Items}
 */
export function single(board) {
  const itemOf = Uint32Array.from({ length: board.size }, (_, i) => i);
  const from = Uint32Array.from({ length: board.size + 1 }, (_, i) => i);
  return { n: board.size, src: board.src, dst: board.dst, itemOf, members: { from, at: itemOf } };
}

/**
 * Stacks, and single tasks where a kind has few.
 * @param {import("./board.js").Board} board @param {Uint32Array} layer of each task @returns {Items}
 */
export function folded(board, layer) {
  const { of } = board.kinds;
  const keys = new Map();
  const keyOf = (i) => layer[i] * 65_536 + of[i];
  for (let i = 0; i < board.size; i++) {
    if (board.status[i] !== STATUS.failed) keys.set(keyOf(i), (keys.get(keyOf(i)) ?? 0) + 1);
  }
  const items = new Map();
  const itemOf = new Uint32Array(board.size);
  let n = 0;
  for (let i = 0; i < board.size; i++) {
    const key = keyOf(i);
    if (board.status[i] === STATUS.failed || (keys.get(key) ?? 0) < LEAST) itemOf[i] = n++;
    else {
      if (!items.has(key)) items.set(key, n++);
      itemOf[i] = items.get(key);
    }
  }
  return { n, itemOf, ...edgesBetween(board, itemOf), members: membersOf(n, itemOf) };
}

/** @param {import("./board.js").Board} board @param {Uint32Array} itemOf */
function edgesBetween(board, itemOf) {
  const seen = new Set();
  const src = [];
  const dst = [];
  for (let e = 0; e < board.src.length; e++) {
    const a = itemOf[board.src[e]];
    const b = itemOf[board.dst[e]];
    const key = a * 2 ** 24 + b;
    if (a === b || seen.has(key)) continue;
    seen.add(key);
    src.push(a);
    dst.push(b);
  }
  return { src: Uint32Array.from(src), dst: Uint32Array.from(dst) };
}

/** @param {number} n @param {Uint32Array} itemOf */
function membersOf(n, itemOf) {
  const from = new Uint32Array(n + 1);
  for (const item of itemOf) from[item + 1]++;
  for (let k = 0; k < n; k++) from[k + 1] += from[k];
  const next = from.slice(0, n);
  const at = new Uint32Array(itemOf.length);
  itemOf.forEach((item, i) => (at[next[item]++] = i));
  return { from, at };
}
