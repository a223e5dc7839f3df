// @ts-check
/** The timeline as it is painted: how many ran at once above, moments, and a bar for each task in its lane. */
import { STATUS } from "../board.js";
import { running } from "../lanes.js";
import { since, ticks } from "./axis.js";

/** Heights in CSS pixels: of the overview, and of the line of moments below it. */
export const OVERVIEW = 54;
export const HEAD = OVERVIEW + 26;
export const LANE_MOST = 26;
/** Pixels of a lane and of a bar from which there is a name in it. */
const NAMED = { height: 13, width: 46 };

/**
 * `window` and `whole`: what is seen and all there is, `[from, to]` in ms of the run; sizes in CSS pixels.
 * @typedef {{board: import("../board.js").Board, lane: Int32Array, lanes: number, order: Uint32Array,
 *   window: [number, number], whole: [number, number], width: number, height: number, dpr: number, now: number,
 *   theme: import("./theme.js").Theme}} Chart
 */

/** Height of a lane in CSS pixels: all lanes are always in view. @param {Chart} chart */
export const laneHeight = ({ height, lanes }) => Math.min(LANE_MOST, (height - HEAD - 8) / Math.max(1, lanes));

/** Where a moment is. @param {Chart} chart @param {number} ms */
export const across = ({ window: [from, to], width }, ms) => ((ms - from) / (to - from)) * width;

/** The end of a task's bar. @param {Chart} chart @param {number} task */
export const endOf = ({ board, now }, task) => Math.max(board.start[task], board.end[task] < 0 ? now : board.end[task]);

/** A bar in CSS pixels. @param {Chart} chart @param {number} task */
export function barOf(chart, task) {
  const tall = laneHeight(chart);
  const left = across(chart, chart.board.start[task]);
  const width = Math.max(1, across(chart, endOf(chart, task)) - left);
  const gap = tall > 6 ? 2 : tall > 3 ? 1 : 0;
  return { left, top: HEAD + 4 + chart.lane[task] * tall, width, height: Math.max(0.5, tall - gap) };
}

/** @param {CanvasRenderingContext2D} ctx @param {Chart} chart */
export function paintChart(ctx, chart) {
  ctx.setTransform(chart.dpr, 0, 0, chart.dpr, 0, 0);
  ctx.clearRect(0, 0, chart.width, chart.height);
  paintMoments(ctx, chart);
  paintBars(ctx, chart);
  paintOverview(ctx, chart);
}

/** @param {CanvasRenderingContext2D} ctx @param {Chart} chart */
function paintMoments(ctx, chart) {
  const { theme, width, height } = chart;
  const zero = chart.whole[0];
  const { at, step } = ticks(chart.window[0] - zero, chart.window[1] - zero, width / 96);
  ctx.font = `11px ${theme.font}`;
  ctx.textBaseline = "middle";
  ctx.fillStyle = theme.line;
  for (const each of at) ctx.fillRect(Math.round(across(chart, zero + each)), OVERVIEW + 20, 1, height);
  ctx.fillStyle = theme.muted;
  for (const each of at) {
    const [says, left] = [since(each, step), across(chart, zero + each) + 4];
    if (left + ctx.measureText(says).width < width) ctx.fillText(says, left, OVERVIEW + 14);
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Chart} chart */
function paintBars(ctx, chart) {
  const { board, order, window: [from, to], lanes, theme, width } = chart;
  /** Pixel up to which a lane is painted, and in which status: what hides in the same pixel is left out. */
  const painted = new Float64Array(lanes).fill(-1);
  const last = new Int8Array(lanes).fill(-1);
  /** @type {number[]} */
  const failed = [];
  const tall = laneHeight(chart);
  const names = tall >= NAMED.height;
  for (const task of order) {
    if (board.start[task] > to) break;
    if (endOf(chart, task) < from) continue;
    const status = board.status[task];
    if (status === STATUS.failed) {
      failed.push(task);
      continue;
    }
    const bar = barOf(chart, task);
    const lane = chart.lane[task];
    if (bar.left + bar.width < painted[lane] && last[lane] === status) continue;
    painted[lane] = Math.ceil(bar.left + bar.width);
    last[lane] = status;
    paintBar(ctx, chart, task, bar, names);
  }
  for (const task of failed) {
    const bar = barOf(chart, task);
    paintBar(ctx, chart, task, { ...bar, width: Math.max(3, bar.width), height: Math.max(3, bar.height) }, names);
  }
  if (from <= chart.now && chart.now <= to && board.counts[STATUS.running]) {
    ctx.fillStyle = theme.accent;
    ctx.fillRect(Math.min(width - 1, across(chart, chart.now)), HEAD - 6, 1, chart.height);
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Chart} chart */
function paintBar(ctx, { board, theme, width: whole }, task, { left, top, width, height }, names) {
  ctx.fillStyle = theme.status[board.status[task]];
  const gap = width > 6 ? 1 : 0;
  ctx.fillRect(left, top, width - gap, height);
  const seen = Math.min(left + width, whole) - Math.max(left, 0);
  if (!names || seen < NAMED.width) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(Math.max(left, 0) + 4, top, seen - 8, height);
  ctx.clip();
  ctx.fillStyle = theme.onFill[board.status[task]];
  ctx.font = `${Math.min(12, height - 3)}px ${theme.font}`;
  ctx.textBaseline = "middle";
  ctx.fillText(board.names[task], Math.max(left, 0) + 6, top + height / 2 + 0.5);
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {Chart} chart */
function paintOverview(ctx, chart) {
  const { board, order, whole, window, width, theme, now } = chart;
  const buckets = Math.max(1, Math.floor(width / 2));
  const counts = running(board.start, board.end, order, whole[0], whole[1], buckets, now);
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  ctx.fillStyle = theme.surface;
  ctx.fillRect(0, 0, width, OVERVIEW);
  ctx.fillStyle = theme.status[STATUS.running];
  ctx.globalAlpha = 0.75;
  counts.forEach((count, at) => {
    const tall = (count / most) * (OVERVIEW - 16);
    ctx.fillRect((at * width) / buckets, OVERVIEW - tall, width / buckets, tall);
  });
  ctx.globalAlpha = 1;
  const seen = window.map((ms) => ((ms - whole[0]) / (whole[1] - whole[0])) * width);
  ctx.fillStyle = theme.bg;
  ctx.globalAlpha = 0.72;
  ctx.fillRect(0, 0, seen[0], OVERVIEW);
  ctx.fillRect(seen[1], 0, width - seen[1], OVERVIEW);
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.line;
  ctx.fillRect(0, OVERVIEW - 1, width, 1);
  ctx.fillStyle = theme.accent;
  if (seen[0] > 0.5) ctx.fillRect(seen[0], 0, 1.5, OVERVIEW);
  if (seen[1] < width - 0.5) ctx.fillRect(seen[1] - 1.5, 0, 1.5, OVERVIEW);
  ctx.font = `11px ${theme.font}`;
  ctx.textBaseline = "middle";
  ctx.fillStyle = theme.muted;
  ctx.fillText(`running at once, at most ${Math.max(chart.lanes, 0)}`, 8, 9);
}
