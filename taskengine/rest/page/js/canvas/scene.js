// @ts-check
/** Which items are where: by columns sorted from left to right, each from top to bottom, so that two binary searches
 * answer what is in view and what is under the pointer. */
import { NODE } from "../layout.js";
import { lowest } from "./search.js";

/**
 * @typedef {import("./edges.js").View} View
 * @typedef {{order: Uint32Array, from: Uint32Array, x: Float32Array}} Columns order: items by column, then by height
 */

/** @param {{x: Float32Array, y: Float32Array}} places @returns {Columns} */
export function columnsOf({ x, y }) {
  const order = Uint32Array.from(x.keys()).sort((one, other) => x[one] - x[other] || y[one] - y[other]);
  const from = [];
  order.forEach((item, at) => {
    if (!at || x[item] !== x[order[at - 1]]) from.push(at);
  });
  return { order, from: Uint32Array.from([...from, order.length]), x: Float32Array.from(from, (at) => x[order[at]]) };
}

export class Scene {
  /**
   * @param {import("../layout.js").Places} places @param {Columns} columns
   * @param {import("../fold.js").Items} items
   */
  constructor(places, columns, items) {
    this.places = places;
    this.columns = columns;
    this.items = items;
    /** Ways of edges that were drawn, by both ends. @type {Map<number, import("./routes.js").Lane[] | null>} */
    this.ways = new Map();
  }

  get size() {
    return this.items.n;
  }

  /** Whether an item stands for more than one task. @param {number} item */
  isStack(item) {
    return this.items.members.from[item + 1] - this.items.members.from[item] > 1;
  }

  /** The tasks of an item. @param {number} item */
  tasksOf(item) {
    const { from, at } = this.items.members;
    return at.subarray(from[item], from[item + 1]);
  }

  /**
   * Slices of `columns.order` that are in view, as `[first, end]` each.
   * @param {View} view @returns {[number, number][]}
   */
  inView(view) {
    const { order, from, x } = this.columns;
    const { y } = this.places;
    const half = { x: NODE.width / 2, y: NODE.height / 2 };
    const right = view.x + view.width / view.scale + half.x;
    const top = view.y - half.y;
    const bottom = view.y + view.height / view.scale + half.y;
    /** @type {[number, number][]} */
    const found = [];
    for (let column = lowest(0, x.length, (at) => x[at] >= view.x - half.x); column < x.length; column++) {
      if (x[column] > right) break;
      const first = lowest(from[column], from[column + 1], (at) => y[order[at]] >= top);
      const end = lowest(first, from[column + 1], (at) => y[order[at]] > bottom);
      if (first < end) found.push([first, end]);
    }
    return found;
  }

  /** The item at a point in units, -1 if there is none; *slack* units beside it are still it. */
  at(px, py, slack = 0) {
    const { order, from, x } = this.columns;
    const { y } = this.places;
    let best = -1;
    let least = Infinity;
    const reach = NODE.width / 2 + slack;
    for (let column = lowest(0, x.length, (at) => x[at] >= px - reach); column < x.length; column++) {
      if (x[column] > px + reach) break;
      const near = lowest(from[column], from[column + 1], (at) => y[order[at]] >= py);
      for (const at of [near - 1, near]) {
        if (at < from[column] || at >= from[column + 1]) continue;
        const off = Math.max(Math.abs(y[order[at]] - py) - NODE.height / 2, Math.abs(x[column] - px) - NODE.width / 2);
        if (off <= slack && off < least) {
          least = off;
          best = order[at];
        }
      }
    }
    return best;
  }

  /** The next item above (-1) or below (1) in the same column, the same item at its end. */
  beside(item, step) {
    const { order, from, x } = this.columns;
    const column = lowest(0, x.length, (at) => x[at] >= this.places.x[item]);
    const here = order.subarray(from[column], from[column + 1]).indexOf(item);
    const there = here + step;
    return there < 0 || there >= from[column + 1] - from[column] ? item : order[from[column] + there];
  }
}
