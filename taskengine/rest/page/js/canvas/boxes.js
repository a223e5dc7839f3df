// @ts-check
/** Items as dots (far), boxes (middle) or boxes with words (near): what one sees of a node depends on its size. */
import { STATUS, STATUSES } from "../board.js";
import { NODE, PITCH } from "../layout.js";
import { strokes } from "../status.js";
import { span } from "../words.js";
import { plain } from "./captions.js";

/** Height of a node in CSS pixels below which it is a dot, and from which there are words in it. */
export const FAR_BELOW = 5;
const NEAR_FROM = 13;
/** The smallest letters that are painted, in CSS pixels. */
const LEAST_FONT = 9;
const COMPACT = new Intl.NumberFormat("en", { notation: "compact" });
/** Device-independent pixels between two dots that nobody sees. */
const UNSEEN = 0.75;

/**
 * @typedef {import("./edges.js").View} View
 * @typedef {{board: import("../board.js").Board, scene: import("./scene.js").Scene, view: View, dpr: number,
 *   theme: import("./theme.js").Theme, now: number, expected: (task: number) => number | null}} Picture
 */

/** @param {View} view @param {number} dpr */
export const isFar = (view, dpr) => NODE.height * view.scale < FAR_BELOW * dpr;

/** Paint all that is in view. @param {CanvasRenderingContext2D} ctx @param {Picture} picture */
export function paintItems(ctx, picture) {
  const { view, dpr } = picture;
  ctx.clearRect(0, 0, view.width, view.height);
  if (isFar(view, dpr)) paintDots(ctx, picture);
  else paintBoxes(ctx, picture);
}

/** Paint some items again where they are dots. @param {CanvasRenderingContext2D} ctx @param {Iterable<number>} items */
export function repaintDots(ctx, picture, items) {
  const { view, dpr } = picture;
  // Where neighbours were painted as one stroke, what lay between them is painted over, too.
  const gap = (PITCH.y - NODE.height) * view.scale;
  const grow = gap <= UNSEEN * dpr ? gap : 0;
  for (const item of items) {
    if (picture.scene.isStack(item)) stackDot(ctx, picture, item);
    else {
      ctx.fillStyle = picture.theme.status[picture.board.status[picture.scene.tasksOf(item)[0]]];
      dot(ctx, picture, item, item, grow);
    }
  }
}

/**
 * Paint dots column by column. Neighbours of one status become one stroke where no eye could see what is between them:
 * 20 000 dots are a few hundred strokes then.
 */
function paintDots(ctx, picture) {
  const { scene, view, board, theme, dpr } = picture;
  const { order } = scene.columns;
  const { from, at } = scene.items.members;
  const { y } = scene.places;
  const near = NODE.height + UNSEEN * (dpr / view.scale);
  const statusOf = (item) => (from[item + 1] - from[item] === 1 ? board.status[at[from[item]]] : -1);
  for (const [first, end] of scene.inView(view)) {
    for (let k = first; k < end; k++) {
      const item = order[k];
      const status = statusOf(item);
      if (status < 0) {
        stackDot(ctx, picture, item);
        continue;
      }
      while (k + 1 < end && y[order[k + 1]] - y[order[k]] <= near && statusOf(order[k + 1]) === status) k++;
      ctx.fillStyle = theme.status[status];
      dot(ctx, picture, item, order[k]);
    }
  }
}

/** A dot, or a stroke from it down to another of its column. */
function dot(ctx, { scene, view, dpr }, item, last = item, grow = 0) {
  const { x, y } = scene.places;
  const width = Math.max(NODE.width * view.scale, 1.2 * dpr);
  const height = Math.max(NODE.height * view.scale, 1 * dpr);
  const top = (y[item] - view.y) * view.scale - (height + grow) / 2;
  ctx.fillRect((x[item] - view.x) * view.scale - width / 2, top, width, (y[last] - y[item]) * view.scale + height + grow);
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} picture @param {number} item */
function stackDot(ctx, { scene, view, dpr, board, theme }, item) {
  const left = (scene.places.x[item] - NODE.width / 2 - view.x) * view.scale;
  const height = Math.max(NODE.height * view.scale, 3 * dpr);
  const top = (scene.places.y[item] - view.y) * view.scale - height / 2;
  shares(board, scene.tasksOf(item), left, NODE.width * view.scale, (status, x, width) => {
    ctx.fillStyle = theme.status[status];
    ctx.fillRect(x, top, width, height);
  });
}

/** Tell the parts of a bar by status. @param {(status: number, left: number, width: number) => void} tell */
function shares(board, tasks, left, width, tell) {
  const counts = countsOf(board, tasks);
  for (let status = 0; status < counts.length; status++) {
    const part = (counts[status] / tasks.length) * width;
    if (part) tell(status, left, part);
    left += part;
  }
}

/** How many of some tasks have each status. @param {import("../board.js").Board} board @param {Uint32Array} tasks */
export function countsOf(board, tasks) {
  const counts = new Uint32Array(STATUSES.length);
  for (const task of tasks) counts[board.status[task]]++;
  return counts;
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} picture */
function paintBoxes(ctx, picture) {
  const { scene, view, dpr } = picture;
  const near = NODE.height * view.scale >= NEAR_FROM * dpr;
  for (const [first, end] of scene.inView(view)) {
    for (let k = first; k < end; k++) {
      const item = scene.columns.order[k];
      const box = boxOf(picture, item);
      if (scene.isStack(item)) stackBox(ctx, picture, item, box, near);
      else if (near) nearBox(ctx, picture, scene.tasksOf(item)[0], box);
      else middleBox(ctx, picture, scene.tasksOf(item)[0], box);
    }
  }
}

/** @returns {{left: number, top: number, width: number, height: number, unit: number}} in device pixels */
export function boxOf({ scene, view }, item) {
  const width = NODE.width * view.scale;
  const height = NODE.height * view.scale;
  const left = (scene.places.x[item] - view.x) * view.scale - width / 2;
  const top = (scene.places.y[item] - view.y) * view.scale - height / 2;
  return { left, top, width, height, unit: view.scale };
}

function middleBox(ctx, { board, theme }, task, { left, top, width, height }) {
  ctx.fillStyle = theme.status[board.status[task]];
  ctx.fillRect(left, top, width, height);
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} picture @param {number} task */
function nearBox(ctx, picture, task, box) {
  const { board, theme } = picture;
  const status = board.status[task];
  const colour = theme.status[status];
  panel(ctx, box, theme.surface, STATUSES[status] === "pending" ? theme.strong : colour, box.unit);
  sign(ctx, status, colour, box.left + 8 * box.unit, box.top + (box.height - 16 * box.unit) / 2, 16 * box.unit);
  words(ctx, picture, box, board.names[task], said(picture, task));
  progress(ctx, picture, task, box);
}

function stackBox(ctx, picture, item, box, near) {
  const { board, scene, theme } = picture;
  const off = 4 * box.unit;
  const tasks = scene.tasksOf(item);
  for (const step of [2, 1]) {
    panel(ctx, { ...box, left: box.left + step * off, top: box.top - step * off }, theme.surface, theme.strong, box.unit);
  }
  panel(ctx, box, theme.surface, theme.strong, box.unit);
  const bar = near ? 5 * box.unit : box.height * 0.5;
  const top = near ? box.top + box.height - bar - 5 * box.unit : box.top + (box.height - bar) / 2;
  shares(board, tasks, box.left + 8 * box.unit, box.width - 16 * box.unit, (status, left, width) => {
    ctx.fillStyle = theme.status[status];
    ctx.fillRect(left, top, width, bar);
  });
  if (near) stackWords(ctx, picture, tasks, box);
}

function stackWords(ctx, { board, theme, dpr }, tasks, box) {
  const { of, names } = board.kinds;
  const name = plain(names[of[tasks[0]]]);
  ctx.textBaseline = "middle";
  const size = Math.max(12 * box.unit, LEAST_FONT * dpr);
  ctx.font = `600 ${size}px ${theme.font}`;
  const y = box.top + 15 * box.unit;
  const room = box.width - 16 * box.unit;
  ctx.fillStyle = theme.text;
  ctx.fillText(fitted(ctx, name, room), box.left + 8 * box.unit, y);
  // Where both do not fit, the name is worth more than how many there are.
  const left = room - ctx.measureText(name).width - 8 * box.unit;
  const many = [tasks.length.toLocaleString("en"), COMPACT.format(tasks.length)].map((each) => `× ${each}`)
    .find((each) => ctx.measureText(each).width <= left);
  if (many) ctx.fillText(many, box.left + box.width - ctx.measureText(many).width - 8 * box.unit, y);
}

/** A rounded box with a border. */
function panel(ctx, { left, top, width, height }, fill, border, unit) {
  ctx.beginPath();
  ctx.roundRect(left, top, width, height, 5 * unit);
  ctx.fillStyle = fill;
  ctx.fill();
  ctx.strokeStyle = border;
  ctx.lineWidth = Math.max(1, 1.3 * unit);
  ctx.stroke();
}

/** @type {Map<number, Path2D>} */
const paths = new Map();

/** The sign of a status, as the rest of the page draws it. @param {CanvasRenderingContext2D} ctx */
export function sign(ctx, status, colour, left, top, size) {
  let path = paths.get(status);
  if (!path) paths.set(status, (path = new Path2D(strokes(STATUSES[status]))));
  const unit = size / 12;
  ctx.save();
  ctx.translate(left, top);
  ctx.scale(unit, unit);
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = 1.5;
  ctx.lineCap = ctx.lineJoin = "round";
  if (status === STATUS.running) ctx.fill(path);
  ctx.stroke(path);
  ctx.restore();
}

function words(ctx, { theme, dpr }, box, name, below) {
  const { unit } = box;
  const size = Math.max(12 * unit, LEAST_FONT * dpr);
  const left = box.left + 30 * unit;
  const room = box.width - 36 * unit;
  const two = Boolean(below) && 10 * unit >= 6.5 * dpr;
  ctx.textBaseline = "middle";
  ctx.font = `500 ${size}px ${theme.font}`;
  ctx.fillStyle = theme.text;
  ctx.fillText(fitted(ctx, name, room), left, box.top + box.height * (two ? 0.35 : 0.52));
  if (!two) return;
  ctx.font = `${10.5 * unit}px ${theme.font}`;
  ctx.fillStyle = theme.muted;
  ctx.fillText(below, left, box.top + box.height * 0.7);
}

/** A word on how long it took, runs or waits. @param {Picture} picture @param {number} task */
function said({ board, now }, task) {
  const status = board.status[task];
  const [ready, start, end] = [board.ready[task], board.start[task], board.end[task]];
  if (start >= 0 && end >= start && status !== STATUS.running) return span((end - start) / 1000);
  if (start >= 0 && status === STATUS.running) return `runs for ${span(Math.max(0, now - start) / 1000)}`;
  if (status === STATUS.ready && ready >= 0) return `ready for ${span(Math.max(0, now - ready) / 1000)}`;
  return STATUSES[status];
}

/** How far a running task may be, by what its kind took. */
function progress(ctx, { board, theme, now, expected }, task, { left, top, width, height, unit }) {
  if (board.status[task] !== STATUS.running || board.start[task] < 0) return;
  const whole = expected(task);
  if (!whole) return;
  const share = Math.min(0.97, Math.max(0, now - board.start[task]) / whole);
  ctx.fillStyle = theme.status[STATUS.running];
  ctx.fillRect(left + 5 * unit, top + height - 4 * unit, (width - 10 * unit) * share, 2.5 * unit);
}

/** @type {Map<string, number>} share of characters by font, so that most names are measured once */
const fits = new Map();

/** A text that fits into *room* pixels, its middle left out if it has to be. @param {CanvasRenderingContext2D} ctx */
function fitted(ctx, text, room) {
  const each = fits.get(ctx.font) ?? ctx.measureText("abcdefghijklmnopqrstuvwxyz0123456789.:_").width / 39;
  if (fits.size > 200) fits.clear();
  fits.set(ctx.font, each);
  if (text.length * each * 0.8 <= room && ctx.measureText(text).width <= room) return text;
  let keep = Math.max(1, Math.floor(room / each));
  for (;;) {
    const head = Math.ceil((keep - 1) * 0.3);
    const short = keep >= text.length ? text : `${text.slice(0, head)}…${text.slice(text.length - (keep - 1 - head))}`;
    if (keep <= 1 || ctx.measureText(short).width <= room) return short;
    keep--;
  }
}
