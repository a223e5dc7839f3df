// @ts-check
/** What a part of a big picture is: over each wide layer the kind that most of it is of, and how many. */
import { NODE } from "../layout.js";

/** A layer with fewer tasks says nothing, nor does one in which no kind has this share. */
const LEAST = 12;
const SHARE = 0.6;
/** CSS pixels that a caption needs at least, and its height. */
const ROOM = 34;
const FONT = 11;

/** @typedef {{text: string, count: string, left: number, right: number, top: number}} Caption in units */

/**
 * @param {import("../board.js").Board} board @param {import("../layout.js").Places} places of each task
 * @returns {Caption[]}
 */
export function captionsOf(board, { x, y, layer }) {
  /** @type {Map<number, {left: number, right: number, top: number, size: number, kinds: Map<number, number>}>} */
  const layers = new Map();
  const { of, names } = board.kinds;
  for (let i = 0; i < layer.length; i++) {
    let found = layers.get(layer[i]);
    if (!found) layers.set(layer[i], (found = { left: Infinity, right: -Infinity, top: Infinity, size: 0, kinds: new Map() }));
    found.left = Math.min(found.left, x[i] - NODE.width / 2);
    found.right = Math.max(found.right, x[i] + NODE.width / 2);
    found.top = Math.min(found.top, y[i] - NODE.height / 2);
    found.size++;
    found.kinds.set(of[i], (found.kinds.get(of[i]) ?? 0) + 1);
  }
  return [...layers.values()].filter(({ size }) => size >= LEAST).flatMap(({ left, right, top, size, kinds }) => {
    const found = most(kinds, (kind) => plain(names[kind]), size) ?? most(kinds, (kind) => names[kind].split(/[\s#.:_-]/)[0], size);
    return found?.[0] ? [{ text: found[0], count: found[1].toLocaleString("en"), left, right, top }] : [];
  });
}

/** What most of a layer is called, and how many that are; null if nothing is. @param {Map<number, number>} kinds
 * @param {(kind: number) => string} called @param {number} size @returns {[string, number] | null} */
function most(kinds, called, size) {
  const counts = new Map();
  for (const [kind, count] of kinds) counts.set(called(kind), (counts.get(called(kind)) ?? 0) + count);
  const best = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one));
  return best[1] < size * SHARE ? null : best;
}

/** The name of a kind without the marks of its digits at the end. @param {string} name */
export const plain = (name) => name.replace(/[\s#:._-]*#[\s#]*$/, "") || name;

/** @param {CanvasRenderingContext2D} ctx @param {import("./boxes.js").Picture} picture @param {Caption[]} captions */
export function paintCaptions(ctx, { view, theme, dpr }, captions) {
  ctx.font = `600 ${FONT * dpr}px ${theme.font}`;
  ctx.textBaseline = "alphabetic";
  ctx.fillStyle = theme.muted;
  let until = -Infinity;
  for (const { text, count, left, right, top } of captions) {
    const from = Math.max((left - view.x) * view.scale, 4 * dpr);
    const width = (right - view.x) * view.scale - from;
    const y = (top - view.y) * view.scale - 6 * dpr;
    if (width < ROOM * dpr || y < FONT * dpr || y > view.height || from < until) continue;
    const whole = `${text} × ${count}`;
    const says = ctx.measureText(whole).width <= width + 24 * dpr ? whole : text;
    if (ctx.measureText(says).width > width + 24 * dpr) continue;
    ctx.fillText(says, from, y);
    until = from + ctx.measureText(says).width + 8 * dpr;
  }
}
