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
/** Lines in one stroke: lines of one stroke do not darken each other. */
const STROKE = 48;

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
 * @returns {number} of how many edges one is drawn: 1 where all are
 */
export function hairLines(ctx, points, src, dst, view, color) {
  const step = src.length > SAMPLED_ABOVE ? Math.ceil(src.length / SAMPLE) : 1;
  const half = (NODE.width / 2) * view.scale;
  ctx.clearRect(0, 0, view.width, view.height);
  ctx.strokeStyle = color;
  ctx.lineWidth = 1;
  ctx.globalAlpha = hairAlpha(src.length / step);
  let shown = 0;
  ctx.beginPath();
  for (let e = 0; e < src.length; e += step) {
    const x1 = (points.x[src[e]] - view.x) * view.scale + half;
    const x2 = (points.x[dst[e]] - view.x) * view.scale - half;
    if ((x1 < 0 && x2 < 0) || (x1 > view.width && x2 > view.width)) continue;
    const y1 = (points.y[src[e]] - view.y) * view.scale;
    const y2 = (points.y[dst[e]] - view.y) * view.scale;
    if ((y1 < 0 && y2 < 0) || (y1 > view.height && y2 > view.height)) continue;
    ctx.moveTo(x1, y1);
    ctx.lineTo(x2, y2);
    if (++shown % STROKE === 0) {
      ctx.stroke();
      ctx.beginPath();
    }
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
  return step;
}

/** @param {number} edges how many are drawn: 5 % for tens of thousands, more for few */
function hairAlpha(edges) {
  return Math.min(0.35, Math.max(0.05, 700 / Math.max(1, edges)));
}
