// @ts-check
/**
 * The state of one run in columns: what the compact graph said, and each live frame folded into it.
 *
 * A task is its index; ids stay on the server. Moments are milliseconds since `baseMs`, -1 is "not yet".
 * Numbers lie in typed arrays, so that 100 000 tasks are a few megabytes and a frame touches only what changed.
 */

import { adjacency } from "./adjacency.js";
import { OVER as OVER_WORDS, STATUSES as TASK_STATUSES } from "./status.js";

/** A status is its place here. */
export const STATUSES = Object.freeze([...TASK_STATUSES]);
/** @type {Readonly<Record<string, number>>} */
export const STATUS = Object.freeze(Object.fromEntries(STATUSES.map((word, at) => [word, at])));
/** What is over. */
export const OVER = new Set([...OVER_WORDS].map((word) => STATUS[word]));

/**
 * @typedef {{run: string, name: string | null, seq: number, base_ms: number, names: string[], queues: string[],
 *   queue: number[], status: string, codes: Record<string, number | string>, src: number[], dst: number[],
 *   ready: number[], start: number[], end: number[]}} CompactGraph
 * @typedef {{q: number, i?: number[], s?: string, t?: number[][],
 *   new?: {i: number, name: string, queue: string, deps: number[]}[]}} Frame
 * @typedef {{changed: number[], grown: boolean}} Change
 */

export class Board {
  /** @param {CompactGraph} graph */
  constructor(graph) {
    const n = graph.names.length;
    this.run = graph.run;
    this.name = graph.name;
    this.seq = graph.seq;
    this.baseMs = graph.base_ms;
    this.names = graph.names;
    this.queues = graph.queues;
    /** Number of times that tasks or edges were added: who laid the graph out compares it. */
    this.generation = 0;
    this._digits = digits(graph.codes);
    this.queue = Uint16Array.from(graph.queue);
    this.status = new Uint8Array(n);
    this.counts = new Uint32Array(STATUSES.length);
    for (let i = 0; i < n; i++) {
      this.status[i] = this._digits.get(graph.status[i]) ?? STATUS.pending;
      this.counts[this.status[i]]++;
    }
    this.ready = Float64Array.from(graph.ready);
    this.start = Float64Array.from(graph.start);
    this.end = Float64Array.from(graph.end);
    this.src = Uint32Array.from(graph.src);
    this.dst = Uint32Array.from(graph.dst);
    /** The latest moment that a time of the run names: the server's clock is at least there. */
    this.latest = 0;
    for (const column of [this.ready, this.start, this.end]) {
      for (let i = 0; i < n; i++) if (column[i] > this.latest) this.latest = column[i];
    }
    this._kinds = /** @type {{of: Uint32Array, names: string[]} | null} */ (null);
    this._around = /** @type {{up: import("./adjacency.js").Adjacency, down: import("./adjacency.js").Adjacency} | null} */ (null);
  }

  get size() {
    return this.names.length;
  }

  /** Tasks that have ended, well or not. */
  get ended() {
    let sum = 0;
    for (const status of OVER) sum += this.counts[status];
    return sum;
  }

  /**
   * Fold a frame; one that is older than what is known changes nothing.
   * @param {Frame} frame @returns {Change}
   */
  apply(frame) {
    if (frame.q <= this.seq) return { changed: [], grown: false };
    this.seq = frame.q;
    if (frame.new?.length) this._grow(frame.new);
    const changed = frame.i ?? [];
    for (let at = 0; at < changed.length; at++) {
      const i = changed[at];
      if (i >= this.size) continue;
      this._move(i, this._digits.get(frame.s?.[at] ?? "") ?? this.status[i]);
      const times = frame.t?.[at];
      if (times) this._time(i, times);
    }
    return { changed, grown: Boolean(frame.new?.length) };
  }

  /** @param {number} i @param {number} status */
  _move(i, status) {
    this.counts[this.status[i]]--;
    this.counts[status]++;
    this.status[i] = status;
  }

  /** @param {number} i @param {number[]} times */
  _time(i, [ready, start, end]) {
    this.ready[i] = ready;
    this.start[i] = start;
    this.end[i] = end;
    this.latest = Math.max(this.latest, ready, start, end);
  }

  /** @param {NonNullable<Frame["new"]>} added */
  _grow(added) {
    const fresh = added.filter((node) => node.i >= this.size).sort((one, other) => one.i - other.i);
    if (!fresh.length) return;
    const n = this.size + fresh.length;
    this.queue = widened(this.queue, n);
    this.status = widened(this.status, n);
    for (const name of /** @type {const} */ (["ready", "start", "end"])) {
      this[name] = widened(this[name], n).fill(-1, this.size);
    }
    const edges = fresh.flatMap((node) => node.deps.map((from) => [from, node.i]));
    const before = this.src.length;
    this.src = widened(this.src, before + edges.length);
    this.dst = widened(this.dst, before + edges.length);
    edges.forEach(([from, to], at) => {
      this.src[before + at] = from;
      this.dst[before + at] = to;
    });
    for (const node of fresh) this._name(node);
    this.generation++;
    this._kinds = this._around = null;
  }

  /** @param {{i: number, name: string, queue: string}} node */
  _name(node) {
    let queue = this.queues.indexOf(node.queue);
    if (queue < 0) queue = this.queues.push(node.queue) - 1;
    this.names.push(node.name);
    this.queue[node.i] = queue;
    this.status[node.i] = STATUS.pending;
    this.counts[STATUS.pending]++;
  }

  /** The latest moment of a task. @param {number} i */
  moved(i) {
    return Math.max(this.ready[i], this.start[i], this.end[i]);
  }

  /** Kind of each task, and their names: one queue, and names alike but for digits. */
  get kinds() {
    if (this._kinds) return this._kinds;
    const of = new Uint32Array(this.size);
    const known = new Map();
    const names = [];
    for (let i = 0; i < this.size; i++) {
      const name = kindOf(this.names[i]);
      const key = `${this.queue[i]} ${name}`;
      let kind = known.get(key);
      if (kind === undefined) {
        known.set(key, (kind = names.length));
        names.push(name);
      }
      of[i] = kind;
    }
    return (this._kinds = { of, names });
  }

  /** Dependencies (`up`) and dependents (`down`) of each task. */
  get around() {
    this._around ??= { up: adjacency(this.size, this.dst, this.src), down: adjacency(this.size, this.src, this.dst) };
    return this._around;
  }
}

/** @param {string} name the name of a task; of it the part that its kind has in common */
export function kindOf(name) {
  return name.slice(0, 80).replace(/[0-9]+/g, "#");
}

/** @param {Record<string, number | string>} codes status to the letter that stands for it */
function digits(codes) {
  const found = new Map();
  for (const [word, code] of Object.entries(codes)) {
    const status = STATUS[word];
    if (status !== undefined) found.set(typeof code === "number" ? code.toString(36) : code, status);
  }
  return found;
}

/**
 * @template {Uint8Array | Uint16Array | Uint32Array | Float64Array} T
 * @param {T} column @param {number} n @returns {T}
 */
function widened(column, n) {
  const wide = new /** @type {any} */ (column.constructor)(n);
  wide.set(column);
  return wide;
}
