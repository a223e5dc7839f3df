// @ts-check
/** Lists in pages. A search stops after so many and says where to go on: the page does that by itself, for a while. */

import { get } from "./api.js";

/** Rows of one page. */
export const LIMIT = 50;
/** Milliseconds after which it shows what it has, and leaves it to its reader to search on. */
const PATIENCE = 2000;
const [OFTEN, SELDOM] = [2000, 30_000];

/**
 * One page of a list, full unless there are no more or the search took too long; then it has a cursor.
 * @param {string} path @param {Record<string, any>} query @param {AbortSignal} [signal] @param {number} [limit]
 * @returns {Promise<{items: any[], cursor: string | null, took: number}>} took: milliseconds
 */
export async function listed(path, query, signal, limit = LIMIT) {
  const began = performance.now();
  const items = [];
  let { cursor } = query;
  do {
    const page = await get(path, { ...query, cursor, limit: limit - items.length }, signal);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor && items.length < limit && performance.now() - began < PATIENCE);
  return { items, cursor: cursor ?? null, took: performance.now() - began };
}

/** Milliseconds until one looks again: a long search is no work for every other second. @param {{took: number}} page */
export const howOften = ({ took }) => Math.min(SELDOM, Math.max(OFTEN, 10 * took));
