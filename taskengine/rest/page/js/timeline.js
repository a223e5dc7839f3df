// @ts-check
/**
 * When what ran: a bar for each task, packed into as many lanes as ran at once, and the path that took longest.
 *
 * Lanes are packed anew at most a few times a second while a run moves; bars that would fall on the same pixels are left
 * out, so that a frame costs the pixels of the canvas and not the tasks of the run.
 */
import { STATUS } from "./board.js";
import { across, barOf, endOf, HEAD, LANE_MOST, laneHeight, OVERVIEW, paintChart } from "./canvas/bars.js";
import { Gestures } from "./canvas/gestures.js";
import { Stage } from "./canvas/stage.js";
import { readTheme, whenThemed } from "./canvas/theme.js";
import { criticalPath, packed } from "./lanes.js";
import { timed } from "./meter.js";

/** Milliseconds between two paintings while something runs. */
const LIVE_MS = 250;
/** The least that is seen, in milliseconds, and the share of room behind the end. */
const LEAST_MS = 4;
const ROOM = 0.015;

/**
 * @typedef {{open: (task: number) => void, focused: (task: number) => void, hovered: (task: number, at: {x: number,
 *   y: number}) => void, find: () => void, now: () => number}} Wishes
 */

export class TimelineView {
  /** @param {HTMLElement} element @param {import("./board.js").Board} board @param {Wishes} wishes */
  constructor(element, board, wishes) {
    this.element = element;
    this.board = board;
    this.wishes = wishes;
    this.hover = -1;
    this.focused = -1;
    /** @type {number[]} */
    this.found = [];
    /** @type {number[]} */
    this.path = [];
    /** What is seen; null: all there is, whatever comes. @type {[number, number] | null} */
    this.window = null;
    /** @type {[number, number] | null} */
    this._brush = null;
    this._timer = 0;
    this._theme = readTheme(element);
    this._packed = packed(board.start, board.end, wishes.now());
    this._stage = new Stage(element, {
      bars: (ctx) => timed("timeline", () => paintChart(ctx, this.chart())),
      marks: (ctx) => this._paintMarks(ctx),
    }, () => {});
    this._gestures = new Gestures(element, {
      pan: () => {},
      drag: (from, to, over) => this._drag(from, to, over),
      zoom: (factor, x) => this.zoom(factor, x),
      hover: (at) => this._hover(at),
      tap: (at) => this.focus(this.taskAt(at)),
      twice: (at) => this._twice(at),
      key: (event) => this._key(event),
    });
    this._unthemed = whenThemed(() => {
      this._theme = readTheme(element);
      this._stage.invalidate();
    });
    this._tick = setInterval(() => this.board.counts[STATUS.running] && !document.hidden && this.changed(), LIVE_MS);
    this._repack();
  }

  close() {
    clearInterval(this._tick);
    clearTimeout(this._timer);
    this._unthemed();
    this._gestures.close();
    this._stage.close();
  }

  /** Something of the board changed. */
  changed() {
    this._timer ||= setTimeout(() => {
      this._timer = 0;
      this._repack();
    }, LIVE_MS);
  }

  /** @param {import("./board.js").Board} board */
  replaced(board) {
    this.board = board;
    this.focused = this.hover = -1;
    this._repack();
  }

  /** From the first start to the latest moment. @returns {[number, number]} */
  whole() {
    const { order } = this._packed;
    if (!order.length) return [0, 1_000];
    const { board } = this;
    const from = board.start[order[0]];
    const to = Math.max(from + 10, board.counts[STATUS.running] ? this.wishes.now() : board.latest);
    return [from, to + (to - from) * ROOM];
  }

  /** @returns {import("./canvas/bars.js").Chart} */
  chart() {
    const whole = this.whole();
    const { width, height, dpr } = this._stage;
    const { board, _theme: theme } = this;
    return { board, ...this._packed, window: this.window ?? whole, whole, width, height, dpr, now: this.wishes.now(), theme };
  }

  fit() {
    this.window = null;
    this._stage.invalidate();
  }

  /** @param {number} factor @param {number} [x] CSS pixels of the moment that stays */
  zoom(factor, x = this._stage.width / 2) {
    const [from, to] = this.chart().window;
    const at = from + (x / this._stage.width) * (to - from);
    this._look(at - (at - from) / factor, at + (to - at) / factor);
  }

  /** Give a task the attention, -1 takes it away. @param {number} task @param {boolean} [far] whether to zoom to it */
  focus(task, far = false) {
    this.focused = task;
    if (task >= 0) this._reveal(task, far);
    this._stage.invalidate("marks");
    this.wishes.focused(task);
  }

  /** Tasks that began and whose names hold *text*. @param {string} text @returns {number[]} */
  find(text) {
    const wanted = text.trim().toLowerCase();
    const { order } = this._packed;
    this.found = wanted ? [...order].filter((task) => this.board.names[task].toLowerCase().includes(wanted)) : [];
    this._stage.invalidate("marks");
    return this.found;
  }

  /** The task at a point, -1 for none. @param {{x: number, y: number}} at CSS pixels */
  taskAt({ x, y }) {
    if (y < HEAD) return -1;
    const chart = this.chart();
    const lane = Math.floor((y - HEAD - 4) / laneHeight(chart));
    let best = -1;
    let least = 4;
    for (const task of this._packed.order) {
      if (this._packed.lane[task] !== lane) continue;
      const bar = barOf(chart, task);
      const off = Math.max(bar.left - x, x - bar.left - bar.width);
      if (off < least) [best, least] = [task, off];
    }
    return best;
  }

  _repack() {
    const { board } = this;
    this._packed = timed("pack", () => packed(board.start, board.end, this.wishes.now()));
    this.path = criticalPath(board).filter((task) => board.start[task] >= 0);
    // Few lanes leave the rest of the window to the page.
    const box = this.element.parentElement;
    if (box) box.style.maxHeight = `${HEAD + 20 + Math.max(3, this._packed.lanes) * LANE_MOST}px`;
    this._stage.invalidate();
  }

  /** @param {number} from @param {number} to */
  _look(from, to) {
    const whole = this.whole();
    const least = Math.max(0, LEAST_MS - (to - from)) / 2;
    const next = /** @type {[number, number]} */ ([Math.max(whole[0], from - least), Math.min(whole[1], to + least)]);
    const isAll = next[0] <= whole[0] && next[1] >= whole[1];
    this.window = isAll || next[1] <= next[0] ? null : next;
    this._stage.invalidate();
  }

  /** @param {number} task @param {boolean} far */
  _reveal(task, far) {
    const [from, to] = this.chart().window;
    const { board } = this;
    const end = endOf(this.chart(), task);
    const middle = (board.start[task] + end) / 2;
    const wide = far ? Math.min(to - from, Math.max(40, (end - board.start[task]) * 12)) : to - from;
    if (!far && middle >= from && middle <= to) return;
    this._look(middle - wide / 2, middle + wide / 2);
  }

  /** A drag across lanes or the overview is the window to be. */
  _drag(from, to, over) {
    const chart = this.chart();
    const span = from.y < OVERVIEW ? chart.whole : chart.window;
    const moment = (x) => span[0] + (Math.min(chart.width, Math.max(0, x)) / chart.width) * (span[1] - span[0]);
    const [first, last] = [moment(from.x), moment(to.x)].sort((one, other) => one - other);
    this._brush = over ? null : [first, last];
    if (over) this._look(first, last);
    this._stage.invalidate("marks");
  }

  /** @param {{x: number, y: number} | null} at */
  _hover(at) {
    const task = at ? this.taskAt(at) : -1;
    if (task !== this.hover) this._stage.invalidate("marks");
    this.hover = task;
    this.wishes.hovered(task, at ?? { x: 0, y: 0 });
  }

  /** @param {{x: number, y: number}} at */
  _twice(at) {
    const task = this.taskAt(at);
    if (task >= 0) this.wishes.open(task);
    else this.fit();
  }

  _paintMarks(ctx) {
    const chart = this.chart();
    const { theme } = chart;
    ctx.setTransform(chart.dpr, 0, 0, chart.dpr, 0, 0);
    ctx.clearRect(0, 0, chart.width, chart.height);
    this._paintPath(ctx, chart);
    for (const task of this.found) outline(ctx, barOf(chart, task), theme.accent, 1.5);
    if (this.hover >= 0) this._paintWait(ctx, chart, this.hover);
    if (this.focused >= 0) this._paintWait(ctx, chart, this.focused);
    if (this.hover >= 0) outline(ctx, barOf(chart, this.hover), theme.text, 1.5);
    if (this.focused >= 0) outline(ctx, barOf(chart, this.focused), theme.accent, 2.5);
    if (this._brush) this._paintBrush(ctx, chart);
  }

  _paintPath(ctx, chart) {
    const { theme } = chart;
    const bars = this.path.map((task) => barOf(chart, task));
    ctx.strokeStyle = theme.text;
    ctx.lineWidth = 1;
    ctx.globalAlpha = 0.55;
    ctx.beginPath();
    bars.forEach((bar, at) => {
      if (!at) return;
      const before = bars[at - 1];
      ctx.moveTo(before.left + before.width, before.top + before.height / 2);
      ctx.lineTo(bar.left, bar.top + bar.height / 2);
    });
    ctx.stroke();
    ctx.globalAlpha = 1;
    for (const bar of bars) if (bar.left < chart.width && bar.left + bar.width > 0) outline(ctx, bar, theme.text, 1.5);
  }

  /** From when a task was ready until it began. */
  _paintWait(ctx, chart, task) {
    const { board, theme } = chart;
    if (board.ready[task] < 0 || board.ready[task] > board.start[task]) return;
    const bar = barOf(chart, task);
    const from = across(chart, board.ready[task]);
    ctx.strokeStyle = theme.status[STATUS.ready];
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.moveTo(from, bar.top + bar.height / 2);
    ctx.lineTo(bar.left, bar.top + bar.height / 2);
    ctx.stroke();
  }

  _paintBrush(ctx, chart) {
    const [from, to] = /** @type {[number, number]} */ (this._brush).map((ms) => across(chart, ms));
    ctx.fillStyle = chart.theme.accent;
    ctx.globalAlpha = 0.18;
    ctx.fillRect(from, HEAD, to - from, chart.height);
    ctx.globalAlpha = 1;
  }

  /** @param {KeyboardEvent} event */
  _key({ key }) {
    if (key === "+" || key === "=") this.zoom(1.5);
    else if (key === "-") this.zoom(1 / 1.5);
    else if (key === "f" || key === "0") this.fit();
    else if (key === "/") this.wishes.find();
    else if (key === "Enter" && this.focused >= 0) this.wishes.open(this.focused);
    else if (key === "Escape") this.focus(-1);
    else if (key.startsWith("Arrow")) this._walk(key.slice(5));
    else return false;
    return true;
  }

  /** To the bar before or after in a lane, or to the nearest of the lane above or below. @param {string} direction */
  _walk(direction) {
    const { order, lane } = this._packed;
    if (!order.length) return;
    const here = this.focused;
    if (here < 0) return this.focus(order[0]);
    const step = { Left: -1, Right: 1, Up: -1, Down: 1 }[direction] ?? 0;
    const beside = direction === "Up" || direction === "Down";
    const wanted = beside ? lane[here] + step : lane[here];
    const { start } = this.board;
    let best = -1;
    for (const task of order) {
      if (lane[task] !== wanted || task === here) continue;
      const off = start[task] - start[here];
      if (!beside && off * step < 0) continue;
      if (best < 0 || Math.abs(off) < Math.abs(start[best] - start[here])) best = task;
    }
    this.focus(best < 0 ? here : best);
  }
}

function outline(ctx, { left, top, width, height }, colour, wide) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = wide;
  ctx.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
}
