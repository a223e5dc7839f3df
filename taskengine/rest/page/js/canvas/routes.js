// @ts-check
/**
 * Which way an edge goes: a curve where that is free, else along lanes between the boxes that stand in its way.
 *
 * Boxes stand in columns, and columns near each other are a bank. An edge crosses a bank level, in a gap that all its
 * columns have, and goes up or down only between banks. A way is found when it is drawn first, and kept with the scene.
 */
import { NODE } from "../layout.js";
import { curve } from "./edges.js";
import { lowest } from "./search.js";

/** Units between a lane and a box at least, and in how many units lanes of one gap lie beside each other. */
const CLEAR = 3;
const FAN = 8;
/** Columns with less room between them are one bank. */
const NARROW = 30;
/** Units between a bank and where a lane in it begins. */
const MOUTH = 2;
/** How far an edge that leads back swings out. */
const SWING = 28;
/** Gaps that are looked at in each direction. */
const TRIES = 60;
/** Ways that are found in one frame, in some milliseconds: a curve stands for the others until the next one. */
const MOST = 600;
const HALF = { x: NODE.width / 2, y: NODE.height / 2 };

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {{left: number, right: number, y: number, back?: boolean}} Lane */

/** Whether some of what was drawn since `begin` waits for its way. */
export let isLate = false;
let left = Infinity;

/** A frame begins. @param {number} [most] ways that it finds */
export function begin(most = MOST) {
  left = most;
  isLate = false;
}

/** Add the way of an edge to the current path. @param {any} ctx @param {Scene} scene @param {number} a @param {number} b @param {import("./edges.js").View} view */
export function way(ctx, scene, a, b, view) {
  const { places } = scene;
  const lanes = known(scene, a, b);
  if (!lanes) return curve(ctx, places, a, b, view);
  const [px, py] = [(/** @type {number} */ x) => (x - view.x) * view.scale, (/** @type {number} */ y) => (y - view.y) * view.scale];
  let [x, y, out] = [places.x[a] + HALF.x, places.y[a], 1];
  ctx.moveTo(px(x), py(y));
  const to = (/** @type {number} */ x2, /** @type {number} */ y2, /** @type {number} */ into) => {
    const reach = out === into ? Math.abs(x2 - x) / 2 : SWING;
    ctx.bezierCurveTo(px(x + out * reach), py(y), px(x2 - into * reach), py(y2), px(x2), py(y2));
  };
  for (const { left, right, y: level, back } of lanes) {
    to(back ? right : left, level, back ? -1 : 1);
    [x, y, out] = [back ? left : right, level, back ? -1 : 1];
    ctx.lineTo(px(x), py(y));
  }
  to(places.x[b] - HALF.x, places.y[b], 1);
}

/** @param {Scene} scene @param {number} a @param {number} b @returns {Lane[] | null} null: a curve does */
function known(scene, a, b) {
  if (scene.places.x[b] > scene.places.x[a] && !hasColumnsBetween(scene, a, b)) return null;
  const key = a * scene.size + b;
  let found = scene.ways.get(key);
  if (found === undefined) {
    if (!left--) {
      left = 0;
      isLate = true;
      return null;
    }
    scene.ways.set(key, (found = lanesOf(scene, a, b)));
  }
  return found;
}

/** Columns behind that of *a* and before that of *b*, as `[first, end]`. @param {Scene} scene @returns {[number, number]} */
function between({ columns: { x }, places }, a, b) {
  return [lowest(0, x.length, (at) => x[at] > places.x[a]), lowest(0, x.length, (at) => x[at] >= places.x[b])];
}

function hasColumnsBetween(scene, a, b) {
  const [first, end] = between(scene, a, b);
  return first < end;
}

/** @param {Scene} scene @param {number} a @param {number} b @returns {Lane[] | null} */
export function lanesOf(scene, a, b) {
  const { x, y, channels } = scene.places;
  if (x[b] <= x[a]) return around(x[a], x[b], channels.filter((level) => level < y[b]).at(-1));
  const [first, end] = between(scene, a, b);
  if (isFree(scene, a, b, first, end)) return null;
  // Edges from one task share their lanes; those of others lie beside them.
  const clear = CLEAR + ((a * 0.618_034) % 1) * FAN;
  const column = scene.columns.x;
  /** @type {Lane[]} */
  const lanes = [];
  let level = y[a];
  for (let at = first, next = at; at < end; at = next) {
    while (next < end && (next === at || column[next] - column[next - 1] < NODE.width + NARROW)) next++;
    const found = gap(scene, at, next, level, y[b], clear);
    if (found === null) return null;
    const left = Math.max(column[at] - HALF.x, x[a] + HALF.x + 2 * MOUTH) - MOUTH;
    const right = Math.min(column[next - 1] + HALF.x, x[b] - HALF.x - 2 * MOUTH) + MOUTH;
    const last = lanes.at(-1);
    if (last && last.y === found) last.right = right;
    else lanes.push({ left, right, y: found });
    level = found;
  }
  return lanes;
}

/** Back to the left, as lines of a text go on: in the channel between two bands. @returns {Lane[] | null} */
const around = (from, to, level) =>
  level === undefined ? null : [{ left: to - HALF.x, right: from + HALF.x, y: level, back: true }];

/** Whether the curve from *a* to *b* touches no box of these columns. @param {Scene} scene */
function isFree(scene, a, b, first, end) {
  const { x, y } = scene.places;
  const [from, to] = [x[a] + HALF.x, x[b] - HALF.x];
  const level = (/** @type {number} */ at) => y[a] + (y[b] - y[a]) * risen((at - from) / (to - from));
  for (let at = first; at < end; at++) {
    const middle = scene.columns.x[at];
    const ends = [level(middle - HALF.x), level(middle + HALF.x)];
    if (inWay(scene, at, Math.min(...ends) - CLEAR, Math.max(...ends) + CLEAR) >= 0) return false;
  }
  return true;
}

/** How far a curve has come up at a share of its way: the one that `curve` draws. @param {number} share */
function risen(share) {
  let [low, high] = [0, 1];
  for (let step = 0; step < 14; step++) {
    const t = (low + high) / 2;
    if (3 * t * (1 - t) * (0.45 * (1 - t) + 0.55 * t) + t ** 3 < share) low = t;
    else high = t;
  }
  return low * low * (3 - 2 * low);
}

/** A box of a column that reaches into these heights; -1 without any. @param {Scene} scene */
function inWay({ columns: { order, from }, places: { y } }, column, top, bottom) {
  const at = lowest(from[column], from[column + 1], (each) => y[order[each]] > top - HALF.y);
  return at < from[column + 1] && y[order[at]] < bottom + HALF.y ? order[at] : -1;
}

/**
 * The height at which a bank is crossed: *level* where it is free, else the gap above or below by which the way to
 * *goal* is shorter. @param {Scene} scene @returns {number | null} null where there is none
 */
function gap(scene, first, end, level, goal, clear) {
  const { y } = scene.places;
  const search = (/** @type {-1 | 1} */ step) => {
    let at = level;
    for (let tries = 0, column = first, free = 0; tries < TRIES && free < end - first; column = column + 1 < end ? column + 1 : first) {
      const box = inWay(scene, column, at - CLEAR, at + CLEAR);
      free = box < 0 ? free + 1 : 0;
      if (box < 0) continue;
      at = y[box] + step * (HALF.y + clear);
      tries++;
      if (tries === TRIES) return null;
    }
    return at;
  };
  const ways = [search(-1), search(1)].filter((each) => each !== null);
  const length = (/** @type {number} */ at) => Math.abs(at - level) + Math.abs(at - goal);
  return ways.length ? ways.reduce((one, other) => (length(/** @type {number} */ (other)) < length(/** @type {number} */ (one)) ? other : one)) : null;
}
