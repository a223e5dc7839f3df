// @ts-check
/**
 * The picture of a run: its tasks as nodes on one canvas, whatever their number.
 *
 * Three layers lie on each other. Edges are painted here while few are in view, else shown as a bitmap that the worker
 * made and that moves and grows with the view until the next one is there. Nodes are painted by size; where they are
 * dots, a change repaints its dot alone. Marks (focus, failures, paths) lie above and are cheap to paint anew.
 */
import { STATUS } from "./board.js";
import { isFar, paintItems, repaintDots } from "./canvas/boxes.js";
import { Camera } from "./canvas/camera.js";
import { captionsOf } from "./canvas/captions.js";
import { FEW_EDGES, visibleEdges, within } from "./canvas/edges.js";
import { Gestures } from "./canvas/gestures.js";
import { paintLinks, paintMarks } from "./canvas/marks.js";
import { begin, isLate, way } from "./canvas/routes.js";
import { Scene } from "./canvas/scene.js";
import { Stage } from "./canvas/stage.js";
import { readTheme, whenThemed } from "./canvas/theme.js";
import { folded, single } from "./fold.js";
import { criticalPath } from "./lanes.js";
import { first, timed } from "./meter.js";
import { Planner } from "./planner.js";

/** Milliseconds of rest before the worker draws the edges of another view, or lays a grown graph out. */
const REST_MS = 120;
const GROWN_REST_MS = 500;
/** Where dots were repainted one by one, all are painted again after this long: their rims hold older colours. */
const HEAL_MS = 1_000;
/** Milliseconds between two looks at what runs, where its seconds are shown. */
const TICK_MS = 1_000;
/** How much more than the view the worker draws, on each side, so that one can pan. */
const MARGIN = 0.25;

/**
 * @typedef {import("./board.js").Board} Board
 * @typedef {{open: (task: number) => void, focused: (item: number) => void, hovered: (item: number, at: {x: number,
 *   y: number}) => void, unfold: () => void, placed: () => void, find: () => void, now: () => number,
 *   sampled: (oneIn: number) => void, expected: (task: number) => number | null}} Wishes
 */

export class GraphView {
  /** @param {HTMLElement} element takes the focus @param {Board} board @param {Wishes} wishes */
  constructor(element, board, wishes) {
    this.element = element;
    this.board = board;
    this.wishes = wishes;
    this.camera = new Camera();
    this.attention = { hover: -1, focus: -1, found: /** @type {number[]} */ ([]), path: /** @type {number[]} */ ([]) };
    this.isFolded = false;
    this.showsPath = false;
    /** @type {Scene | null} */
    this.scene = null;
    /** @type {import("./planner.js").EdgePicture | null} */
    this.edges = null;
    this._layer = /** @type {Uint32Array | null} */ (null);
    this._captions = /** @type {import("./canvas/captions.js").Caption[]} */ ([]);
    this._failed = 0;
    this._wantsFit = true;
    /** Of how many edges one is drawn. */
    this._oneIn = 1;
    this._timers = { edges: 0, grown: 0, heal: 0 };
    this._theme = readTheme(element);
    this._planner = Planner.taken();
    this._stage = new Stage(element, {
      edges: (ctx) => this._paintEdges(ctx),
      nodes: (ctx) => this._paintNodes(ctx),
      marks: (ctx) => this._paintMarks(ctx),
    }, (size) => this._resized(size));
    this._gestures = new Gestures(element, {
      pan: (dx, dy) => this.moved(() => this.camera.pan(dx, dy)),
      zoom: (factor, x, y) => this.moved(() => this.camera.zoom(factor, x, y)),
      hover: (at) => this._hover(at),
      tap: (at) => this.focus(this.itemAt(at)),
      twice: (at) => this.enter(this.itemAt(at)),
      key: (event) => this._key(event),
    });
    this._unthemed = whenThemed(() => this._themed());
    this._tick = setInterval(() => this._ticked(), TICK_MS);
    this._arrange();
  }

  close() {
    clearInterval(this._tick);
    for (const timer of Object.values(this._timers)) clearTimeout(timer);
    this._unthemed();
    this._gestures.close();
    this._planner.close();
    this._stage.close();
    this.edges?.bitmap.close();
  }

  /** What a frame changed. @param {import("./board.js").Change} change */
  changed(change) {
    timed("live", () => this._changed(change));
  }

  /** @param {import("./board.js").Change} change */
  _changed({ changed, grown }) {
    const { scene } = this;
    if (grown) this._later("grown", GROWN_REST_MS, () => this._arrange());
    if (!scene) return;
    if (this.isFolded && this.board.counts[STATUS.failed] !== this._failed) {
      this._later("grown", GROWN_REST_MS, () => this._arrange());
    }
    this._stage.invalidate("marks");
    const known = scene.items.itemOf.length;
    const items = new Set();
    for (const task of changed) if (task < known) items.add(scene.items.itemOf[task]);
    if (isFar(this._view(), this._stage.dpr) && !this._stage.isDirty("nodes")) {
      repaintDots(this._stage.context("nodes"), this._picture(), items);
      this._later("heal", HEAL_MS, () => this._stage.invalidate("nodes"));
    } else this._stage.invalidate("nodes");
    if (!this.edges) this._stage.invalidate("edges");
    if (this.showsPath) this._findPath();
  }

  /** A board that was read anew. @param {Board} board */
  replaced(board) {
    this.board = board;
    this._arrange();
  }

  /** @param {boolean} isFolded */
  fold(isFolded) {
    if (isFolded === this.isFolded) return;
    this.isFolded = isFolded;
    this._wantsFit = true;
    this.attention = { hover: -1, focus: -1, found: [], path: [] };
    this._arrange();
  }

  fit() {
    this.moved(() => this.camera.fit());
  }

  /** @param {number} factor */
  zoom(factor) {
    this.moved(() => this.camera.zoom(factor));
  }

  /** @param {boolean} shows */
  path(shows) {
    this.showsPath = shows;
    this._findPath();
  }

  /** Items with tasks whose names hold *text*; none for an empty text. @param {string} text @returns {number[]} */
  find(text) {
    const wanted = text.trim().toLowerCase();
    const found = new Set();
    const items = this.scene?.items;
    if (wanted && items) {
      this.board.names.forEach((name, i) => {
        if (i < items.itemOf.length && name.toLowerCase().includes(wanted)) found.add(items.itemOf[i]);
      });
    }
    this.attention.found = [...found];
    this._stage.invalidate("marks");
    return this.attention.found;
  }

  /** Give an item the attention; -1 takes it away. *far* moves the view to it. @param {number} item @param {boolean} [far] */
  focus(item, far = false) {
    this.attention.focus = item;
    this._stage.invalidate("edges", "marks");
    if (item >= 0) this._reveal(item, far);
    this.wishes.focused(item);
  }

  /** Open the task of an item, or what a stack holds. @param {number} item */
  enter(item) {
    if (item < 0 || !this.scene) return;
    if (this.scene.isStack(item)) this.wishes.unfold();
    else this.wishes.open(this.scene.tasksOf(item)[0]);
  }

  /** Focus a task, wherever it lies. @param {number} task */
  focusTask(task) {
    if (this.scene && task < this.scene.items.itemOf.length) this.focus(this.scene.items.itemOf[task], true);
  }

  /** @param {{x: number, y: number}} at CSS pixels */
  itemAt(at) {
    const { x, y } = this.camera.units(at.x, at.y);
    return this.scene?.at(x, y, 3 / this.camera.scale) ?? -1;
  }

  /** Change what is seen. @param {() => void} change */
  moved(change) {
    change();
    this._wantsFit = false;
    this._stage.invalidate();
    this._askEdges(REST_MS);
  }

  _arrange() {
    const { board } = this;
    this._failed = board.counts[STATUS.failed];
    if (this.isFolded && this._layer?.length === board.size) return this._place(folded(board, this._layer));
    const then = this.isFolded ? () => this._arrange() : undefined;
    this._place(single(board), then);
  }

  /** @param {import("./fold.js").Items} items @param {() => void} [then] instead of showing it */
  _place(items, then) {
    this._planner.arrange(items, ({ places, columns }) => {
      if (items.n === this.board.size) this._layer = places.layer;
      if (then) return then();
      this._show(new Scene(places, columns, items));
    });
  }

  /** @param {Scene} scene */
  _show(scene) {
    this.scene = scene;
    const { width, height } = scene.places;
    this.camera.picture = { width: Math.max(1, width), height: Math.max(1, height) };
    this.edges?.bitmap.close();
    this.edges = null;
    this._captions = this.isFolded ? [] : captionsOf(this.board, scene.places);
    if (this._wantsFit) this.camera.fit();
    this.attention.focus = this.attention.focus < scene.size ? this.attention.focus : -1;
    this.attention.hover = -1;
    this._findPath();
    this._askEdges(0);
    this._stage.invalidate();
    this.wishes.placed();
  }

  /** @param {{width: number, height: number}} size */
  _resized(size) {
    Object.assign(this.camera, size);
    if (this._wantsFit) this.camera.fit();
    this._askEdges(REST_MS);
  }

  _themed() {
    this._theme = readTheme(this.element);
    this._stage.invalidate();
    this._askEdges(0);
  }

  _ticked() {
    const { board } = this;
    const moves = board.counts[STATUS.running] || board.counts[STATUS.ready];
    if (moves && !document.hidden && !isFar(this._view(), this._stage.dpr)) this._stage.invalidate("nodes");
  }

  _view() {
    return this.camera.view(this._stage.dpr);
  }

  /** @returns {import("./canvas/boxes.js").Picture} */
  _picture() {
    const { board, wishes } = this;
    const scene = /** @type {Scene} */ (this.scene);
    const { now, expected } = wishes;
    return { board, scene, view: this._view(), dpr: this._stage.dpr, theme: this._theme, now: now(), expected };
  }

  _paintNodes(ctx) {
    if (!this.scene) return;
    timed("nodes", () => paintItems(ctx, this._picture()));
    if (!this._few()) return;
    first("taskengine:picture");
  }

  /** Edges in view, if they are few enough to be painted here; null if they are not. @returns {number[] | null} */
  _few() {
    if (!this.scene) return [];
    const { src, dst } = this.scene.items;
    const found = visibleEdges(this.scene.places, src, dst, this._view(), FEW_EDGES);
    return found.length <= FEW_EDGES ? found : null;
  }

  _paintEdges(ctx) {
    const view = this._view();
    ctx.clearRect(0, 0, view.width, view.height);
    if (!this.scene) return;
    const few = this._few();
    begin();
    if (few) this._paintCurves(ctx, few, view);
    else if (this.edges) paste(ctx, this.edges, view);
    this._sampled(few ? 1 : (this.edges?.oneIn ?? 1));
    const isMore = isLate;
    begin(); // for what somebody looks at, whatever else is on its way
    if (!isFar(view, this._stage.dpr)) paintLinks(ctx, this._picture(), this.attention);
    if (isMore || isLate) this._stage.invalidate("edges");
  }

  _paintMarks(ctx) {
    if (!this.scene) return;
    begin();
    paintMarks(ctx, this._picture(), this.attention, this._captions);
    if (isLate) this._stage.invalidate("marks");
  }

  /** @param {number} oneIn */
  _sampled(oneIn) {
    if (oneIn === this._oneIn) return;
    this._oneIn = oneIn;
    this.wishes.sampled(oneIn);
  }

  _paintCurves(ctx, few, view) {
    const { scene, board, _theme: theme } = this;
    if (!scene) return;
    const { src, dst } = scene.items;
    const isDone = (item) => scene.tasksOf(item).every((task) => board.status[task] === STATUS.completed);
    // What only passes by is a shade: where it comes from and leads to, nobody sees here.
    const isIn = within(scene.places, view);
    const ends = few.filter((e) => isIn(src[e]) || isIn(dst[e]));
    const passing = ends.length < few.length ? few.filter((e) => !isIn(src[e]) && !isIn(dst[e])) : [];
    const alpha = Math.min(0.65, Math.max(0.2, 200 / Math.max(1, few.length)));
    const parts = /** @type {[number[], string, number][]} */ ([[passing, theme.edge, alpha / 3], [ends, theme.edge, alpha],
      [ends.filter((e) => isDone(src[e])), theme.status[STATUS.completed], alpha]]);
    for (const [edges, colour, shade] of parts) {
      ctx.beginPath();
      for (const e of edges) way(ctx, scene, src[e], dst[e], view);
      ctx.strokeStyle = colour;
      ctx.lineWidth = Math.max(0.75, Math.min(1.5, view.scale * 1.5)) * (this._stage.dpr > 1 ? 1.3 : 1);
      ctx.globalAlpha = shade;
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  }

  /** Have the worker draw the edges of this view, once it has rested. @param {number} rest milliseconds */
  _askEdges(rest) {
    if (!this.scene) return;
    this._later("edges", rest, () => {
      if (!this.scene || this._few()) return;
      this._planner.draw(widened(this._view()), this._theme.edge, (picture) => {
        this.edges?.bitmap.close();
        this.edges = picture;
        this._stage.invalidate("edges");
        requestAnimationFrame(() => first("taskengine:picture"));
      });
    });
  }

  _findPath() {
    const itemOf = this.scene?.items.itemOf;
    const path = this.showsPath && itemOf ? criticalPath(this.board) : [];
    this.attention.path = itemOf ? path.filter((task) => task < itemOf.length).map((task) => itemOf[task]) : [];
    this._stage.invalidate("marks");
  }

  /** @param {{x: number, y: number} | null} at */
  _hover(at) {
    const item = at ? this.itemAt(at) : -1;
    if (item !== this.attention.hover) {
      this.attention.hover = item;
      this._stage.invalidate("edges", "marks");
    }
    this.wishes.hovered(item, at ?? { x: 0, y: 0 });
  }

  /** Bring an item into view; *far*: also near enough to be read. @param {number} item @param {boolean} far */
  _reveal(item, far) {
    const { camera } = this;
    const { x, y } = /** @type {Scene} */ (this.scene).places;
    const at = camera.pixels(x[item], y[item]);
    const isIn = at.x > 40 && at.y > 30 && at.x < camera.width - 40 && at.y < camera.height - 30;
    if (isIn && (!far || camera.scale >= 0.5)) return;
    this.moved(() => {
      if (far) camera.scale = Math.max(camera.scale, 0.8);
      camera.centre(x[item], y[item]);
    });
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was meant for the graph */
  _key(event) {
    const { key } = event;
    if (key === "+" || key === "=") this.zoom(1.4);
    else if (key === "-") this.zoom(1 / 1.4);
    else if (key === "f" || key === "0") this.fit();
    else if (key === "/") this.wishes.find();
    else if (key === "Enter") this.enter(this.attention.focus);
    else if (key === "Escape" && this.attention.focus >= 0) this.focus(-1);
    else if (key.startsWith("Arrow")) this._walk(key.slice(5));
    else return false;
    return true;
  }

  /** To a parent (left), a child (right), or beside (up, down). @param {string} direction */
  _walk(direction) {
    const { scene, attention } = this;
    if (!scene?.size) return;
    const { focus } = attention;
    if (focus < 0) return this.focus(scene.columns.order[0]);
    if (direction === "Up" || direction === "Down") return this.focus(scene.beside(focus, direction === "Up" ? -1 : 1));
    const { src, dst } = scene.items;
    const [here, there] = direction === "Left" ? [dst, src] : [src, dst];
    let best = -1;
    const { y } = scene.places;
    for (let e = 0; e < here.length; e++) {
      if (here[e] !== focus) continue;
      if (best < 0 || Math.abs(y[there[e]] - y[focus]) < Math.abs(y[best] - y[focus])) best = there[e];
    }
    this.focus(best < 0 ? focus : best);
  }

  /** @param {"edges" | "grown" | "heal"} name @param {number} ms @param {() => void} work */
  _later(name, ms, work) {
    if (name !== "edges" && this._timers[name]) return;
    clearTimeout(this._timers[name]);
    this._timers[name] = setTimeout(() => {
      this._timers[name] = 0;
      work();
    }, ms);
  }
}

/** @param {import("./canvas/edges.js").View} view @returns {import("./canvas/edges.js").View} */
function widened(view) {
  const [width, height] = [Math.round(view.width * (1 + 2 * MARGIN)), Math.round(view.height * (1 + 2 * MARGIN))];
  const x = view.x - (view.width * MARGIN) / view.scale;
  const y = view.y - (view.height * MARGIN) / view.scale;
  return { ...view, x, y, width, height };
}

/** Show a bitmap of edges where its view lies in this one. */
function paste(ctx, { bitmap, view: made }, view) {
  const zoom = view.scale / made.scale;
  const left = (made.x - view.x) * view.scale;
  const top = (made.y - view.y) * view.scale;
  ctx.drawImage(bitmap, left, top, made.width * zoom, made.height * zoom);
}
