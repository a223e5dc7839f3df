// @ts-check
/**
 * Neighbours of a node as a slice: `at[from[i]]` … `at[from[i + 1] - 1]`.
 * @typedef {{from: Uint32Array, at: Uint32Array}} Adjacency
 */

/**
 * @param {number} n nodes @param {Uint32Array} here the end that asks @param {Uint32Array} there the end that is told
 * @returns {Adjacency}
 */
export function adjacency(n, here, there) {
  const from = new Uint32Array(n + 1);
  for (let e = 0; e < here.length; e++) from[here[e] + 1]++;
  for (let i = 0; i < n; i++) from[i + 1] += from[i];
  const next = from.slice(0, n);
  const at = new Uint32Array(here.length);
  for (let e = 0; e < here.length; e++) at[next[here[e]]++] = there[e];
  return { from, at };
}
