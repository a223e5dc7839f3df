// @ts-check
/** What lies over the nodes: what runs and what failed, where one is, what was found, the path that took longest. */
import { STATUS } from "../board.js";
import { NODE } from "../layout.js";
import { boxOf, isFar } from "./boxes.js";
import { paintCaptions } from "./captions.js";
import { way } from "./routes.js";

/** Marks of one kind that are painted at most. */
const MOST = 4_000;

/**
 * @typedef {import("./boxes.js").Picture} Picture
 * @typedef {{hover: number, focus: number, found: number[], path: number[]}} Attention items, -1 or [] for none
 */

/**
 * @param {CanvasRenderingContext2D} ctx @param {Picture} picture @param {Attention} attention
 * @param {import("./captions.js").Caption[]} captions
 */
export function paintMarks(ctx, picture, attention, captions) {
  const { view, theme, dpr } = picture;
  ctx.clearRect(0, 0, view.width, view.height);
  if (isFar(view, dpr)) paintBeacons(ctx, picture);
  paintCaptions(ctx, picture, captions);
  if (attention.path.length) paintPath(ctx, picture, attention.path);
  for (const item of attention.found.slice(0, MOST)) ring(ctx, picture, item, theme.accent, 1.5, 2);
  if (isFar(view, dpr)) paintLinks(ctx, picture, attention);
  if (attention.hover >= 0) ring(ctx, picture, attention.hover, theme.text, 1.5, 2);
  if (attention.focus >= 0) ring(ctx, picture, attention.focus, theme.accent, 2.5, 3);
}

/** Where nodes are too small to be seen one by one: what runs and what failed, large enough. */
function paintBeacons(ctx, picture) {
  const { board, scene, theme, dpr } = picture;
  for (const [status, size] of /** @type {[number, number][]} */ ([[STATUS.running, 2.5], [STATUS.failed, 5]])) {
    let left = board.counts[status] ? MOST : 0;
    ctx.fillStyle = theme.status[status];
    for (let i = 0; i < board.size && left; i++) {
      if (board.status[i] !== status || scene.isStack(scene.items.itemOf[i])) continue;
      left--;
      beacon(ctx, picture, scene.items.itemOf[i], size * dpr, status === STATUS.failed);
    }
  }
}

function beacon(ctx, { scene, view, theme, dpr }, item, least, haloed) {
  const width = Math.max(least, NODE.width * view.scale);
  const height = Math.max(least, NODE.height * view.scale);
  const left = (scene.places.x[item] - view.x) * view.scale - width / 2;
  const top = (scene.places.y[item] - view.y) * view.scale - height / 2;
  if (left > view.width || top > view.height || left + width < 0 || top + height < 0) return;
  if (haloed) {
    const colour = ctx.fillStyle;
    ctx.fillStyle = theme.bg;
    ctx.fillRect(left - dpr, top - dpr, width + 2 * dpr, height + 2 * dpr);
    ctx.fillStyle = colour;
  }
  ctx.fillRect(left, top, width, height);
}

/**
 * The edges of what has the attention: what it waits for and what waits for it. They belong below boxes, for they cross
 * words, and above dots, which would hide them.
 * @param {CanvasRenderingContext2D} ctx @param {Picture} picture @param {Attention} attention
 */
export function paintLinks(ctx, { scene, view, theme, dpr }, { focus, hover }) {
  if (focus < 0 && hover < 0) return;
  const { src, dst } = scene.items;
  ctx.beginPath();
  let left = MOST;
  for (let e = 0; e < src.length && left; e++) {
    const [a, b] = [src[e], dst[e]];
    if (a !== focus && b !== focus && a !== hover && b !== hover) continue;
    left--;
    way(ctx, scene, a, b, view);
  }
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 2 * dpr;
  ctx.globalAlpha = left < MOST - 200 ? 0.25 : 0.9;
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function paintPath(ctx, picture, path) {
  const { scene, view, theme, dpr } = picture;
  ctx.beginPath();
  for (let k = 1; k < path.length; k++) if (path[k] !== path[k - 1]) way(ctx, scene, path[k - 1], path[k], view);
  for (const [width, colour] of /** @type {[number, string][]} */ ([[5, theme.bg], [2, theme.text]])) {
    ctx.lineWidth = width * dpr;
    ctx.strokeStyle = colour;
    ctx.stroke();
  }
  for (const item of new Set(path)) ring(ctx, picture, item, theme.text, 2, 1);
}

function ring(ctx, picture, item, colour, width, gap) {
  const { dpr } = picture;
  const box = boxOf(picture, item);
  const grow = { x: Math.max(0, 6 * dpr - box.width) / 2 + gap * dpr, y: Math.max(0, 6 * dpr - box.height) / 2 + gap * dpr };
  ctx.beginPath();
  ctx.roundRect(box.left - grow.x, box.top - grow.y, box.width + 2 * grow.x, box.height + 2 * grow.y, 5 * box.unit + gap * dpr);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width * dpr;
  ctx.stroke();
}
