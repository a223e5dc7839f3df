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
 * How many cross a pixel is counted, and the count painted: for tens of thousands of lines a fraction of what strokes take.
 * @returns {number} of how many edges one is drawn: 1 where all are
 */
export function hairLines(ctx, points, src, dst, view, color) {
  const step = src.length > SAMPLED_ABOVE ? Math.ceil(src.length / SAMPLE) : 1;
  const half = (NODE.width / 2) * view.scale;
  const width = Math.max(1, view.width);
  const height = Math.max(1, view.height);
  const crossed = new Float32Array(width * height);
  for (let e = 0; e < src.length; e += step) {
    const x1 = (points.x[src[e]] - view.x) * view.scale + half;
    const x2 = (points.x[dst[e]] - view.x) * view.scale - half;
    const y1 = (points.y[src[e]] - view.y) * view.scale;
    const y2 = (points.y[dst[e]] - view.y) * view.scale;
    if (Math.abs(x2 - x1) > Math.abs(y2 - y1)) count(crossed, x1, y1, x2, y2, width, height, 1, width);
    else count(crossed, y1, x1, y2, x2, height, width, width, 1);
  }
  paint(ctx, crossed, width, height, color, hairAlpha(src.length / step));
  return step;
}

/**
 * Count a line where it crosses pixels: one step along *a*, its longer side, shared by two neighbours along *b*.
 * @param {Float32Array} crossed @param {number} perA places between two neighbours along a @param {number} perB along b
 */
function count(crossed, a1, b1, a2, b2, sizeA, sizeB, perA, perB) {
  if (a1 > a2) [a1, b1, a2, b2] = [a2, b2, a1, b1];
  const slope = a2 > a1 ? (b2 - b1) / (a2 - a1) : 0;
  const end = Math.min(sizeA - 1, Math.round(a2));
  for (let a = Math.max(0, Math.round(a1)); a <= end; a++) {
    const b = b1 + slope * (a - a1);
    const near = Math.floor(b);
    const share = b - near;
    if (near >= 0 && near < sizeB) crossed[a * perA + near * perB] += 1 - share;
    if (near >= -1 && near < sizeB - 1) crossed[a * perA + (near + 1) * perB] += share;
  }
}

/** Paint counts: *alpha* of a colour for one line, and as much again of what is left for each more. */
function paint(ctx, crossed, width, height, color, alpha) {
  const image = ctx.createImageData(width, height);
  ctx.fillStyle = color;
  ctx.fillRect(0, 0, 1, 1);
  const [red, green, blue, whole] = ctx.getImageData(0, 0, 1, 1).data;
  const through = Math.log(1 - alpha);
  const pixels = new Uint32Array(image.data.buffer);
  const opaque = (blue << 16) | (green << 8) | red;
  for (let at = 0; at < pixels.length; at++) {
    if (crossed[at]) pixels[at] = (Math.round(whole * (1 - Math.exp(through * crossed[at]))) << 24) | opaque;
  }
  ctx.putImageData(image, 0, 0);
}

/** @param {number} edges how many are drawn: 5 % for tens of thousands, more for few */
function hairAlpha(edges) {
  return Math.min(0.35, Math.max(0.05, 700 / Math.max(1, edges)));
}
