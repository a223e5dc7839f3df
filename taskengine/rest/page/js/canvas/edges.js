// @ts-check
/**
 * Edges as curves (few) or hair lines (many), on any 2D context: the page draws few, a worker draws many.
 */
import { NODE } from "../layout.js";

/** Curves in one frame on the page's own thread; above it the worker's picture is shown. */
export const FEW_EDGES = 2_500;
/** Edges above which only a sample is drawn, and how many that is. */
export const SAMPLED_ABOVE = 300_000;
const SAMPLE = 100_000;

/**
 * What is looked at: the left top corner in units, device pixels a unit, and device pixels of the canvas.
 * @typedef {{x: number, y: number, scale: number, width: number, height: number}} View
 * @typedef {{x: Float32Array, y: Float32Array}} Points
 */

/**
 * Indices of the edges whose boxes touch the view, at most *most* of them and one more.
 * @param {Points} points @param {Uint32Array} src @param {Uint32Array} dst @param {View} view @param {number} most
 */
export function visibleEdges(points, src, dst, view, most) {
  const { x, y } = points;
  const left = view.x - NODE.width;
  const top = view.y - NODE.height;
  const right = view.x + view.width / view.scale + NODE.width;
  const bottom = view.y + view.height / view.scale + NODE.height;
  const found = [];
  for (let e = 0; e < src.length && found.length <= most; e++) {
    const a = src[e];
    const b = dst[e];
    if (x[a] < left && x[b] < left) continue;
    if (x[a] > right && x[b] > right) continue;
    if (y[a] < top && y[b] < top) continue;
    if (y[a] > bottom && y[b] > bottom) continue;
    found.push(e);
  }
  return found;
}

/** Whether some of a node is in the view. @param {Points} points @param {View} view */
export function within({ x, y }, view) {
  const [width, height] = [view.width / view.scale, view.height / view.scale];
  return (/** @type {number} */ node) => Math.abs(x[node] - view.x - width / 2) < (width + NODE.width) / 2
    && Math.abs(y[node] - view.y - height / 2) < (height + NODE.height) / 2;
}

/**
 * Add the curve of an edge to the current path.
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} ctx
 */
export function curve(ctx, points, a, b, view) {
  const half = (NODE.width / 2) * view.scale;
  const x1 = (points.x[a] - view.x) * view.scale + half;
  const y1 = (points.y[a] - view.y) * view.scale;
  const x2 = (points.x[b] - view.x) * view.scale - half;
  const y2 = (points.y[b] - view.y) * view.scale;
  const reach = Math.max(Math.abs(x2 - x1) * 0.45, 30 * view.scale);
  ctx.moveTo(x1, y1);
  ctx.bezierCurveTo(x1 + reach, y1, x2 - reach, y2, x2, y2);
}

/**
 * Draw the edges in view as hair lines; the darker a place the more of them cross it.
 *
 * How many cross a pixel is counted, and the counts are painted once: less than half of what so many strokes take.
 * @returns {number} of how many edges one is drawn: 1 where all are
 */
export function hairLines(ctx, points, src, dst, view, color) {
  const step = src.length > SAMPLED_ABOVE ? Math.ceil(src.length / SAMPLE) : 1;
  const { x, y } = points;
  const { scale } = view;
  const { width, height } = ctx.canvas;
  const half = (NODE.width / 2) * scale;
  const crossed = new Uint32Array(width * height);
  for (let e = 0; e < src.length; e += step) {
    const a = src[e];
    const b = dst[e];
    cross(crossed, width, height, (x[a] - view.x) * scale + half, (y[a] - view.y) * scale,
      (x[b] - view.x) * scale - half, (y[b] - view.y) * scale);
  }
  paint(ctx, crossed, color, hairAlpha(src.length / step));
  return step;
}

/**
 * Count the pixels that a line crosses, one for each step along its longer side. In the loop its place is a whole number
 * of 65 536th pixels.
 * @param {Uint32Array} crossed
 */
function cross(crossed, width, height, x1, y1, x2, y2) {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1))));
  const dx = (x2 - x1) / steps;
  const dy = (y2 - y1) / steps;
  const first = Math.max(0, enters(x1, dx, width - 1), enters(y1, dy, height - 1));
  const last = Math.min(steps, leaves(x1, dx, width - 1), leaves(y1, dy, height - 1));
  let px = ((x1 + first * dx) * 65_536) | 0;
  let py = ((y1 + first * dy) * 65_536) | 0;
  const right = (dx * 65_536) | 0;
  const down = (dy * 65_536) | 0;
  for (let step = first; step <= last; step++) {
    crossed[(py >> 16) * width + (px >> 16)]++;
    px += right;
    py += down;
  }
}

/** The first step at which a coordinate lies in 0 … *most*; Infinity where it does at none. */
function enters(from, by, most) {
  if (by > 0) return Math.ceil(-from / by);
  if (by < 0) return Math.ceil((most - from) / by);
  return from >= 0 && from <= most ? 0 : Infinity;
}

/** The last such step. */
function leaves(from, by, most) {
  if (by > 0) return Math.floor((most - from) / by);
  return by < 0 ? Math.floor(-from / by) : Infinity;
}

/** Paint counts: *alpha* of a colour for one line, and as much again of what is left for each more. */
function paint(ctx, crossed, color, alpha) {
  ctx.fillStyle = color;
  ctx.fillRect(0, 0, 1, 1);
  const [red, green, blue, whole] = ctx.getImageData(0, 0, 1, 1).data;
  const shades = Uint32Array.from({ length: 256 }, (_, lines) =>
    (Math.round(whole * (1 - (1 - alpha) ** lines)) << 24) | (blue << 16) | (green << 8) | red);
  const image = ctx.createImageData(ctx.canvas.width, ctx.canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < pixels.length; at++) if (crossed[at]) pixels[at] = shades[Math.min(255, crossed[at])];
  ctx.putImageData(image, 0, 0);
}

/** @param {number} edges how many are drawn: 5 % for tens of thousands, more for few */
function hairAlpha(edges) {
  return Math.min(0.35, Math.max(0.05, 700 / Math.max(1, edges)));
}
