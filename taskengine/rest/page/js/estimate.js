// @ts-check
/** How long tasks of a kind took in this run, for the progress of those that run. */
import { STATUS } from "./board.js";

/** Milliseconds for which a mean is believed. */
const FRESH_MS = 2_000;

export class Expected {
  constructor() {
    this._at = -Infinity;
    /** @type {Float64Array} */
    this._means = new Float64Array(0);
    /** @type {import("./board.js").Board | null} */
    this._board = null;
  }

  /** Mean milliseconds of the kind of a task; null before one of it completed.
   * @param {import("./board.js").Board} board @param {number} task @returns {number | null} */
  of(board, task) {
    if (board !== this._board || performance.now() - this._at > FRESH_MS) this._look(board);
    const mean = this._means[board.kinds.of[task]];
    return mean > 0 ? mean : null;
  }

  /** @param {import("./board.js").Board} board */
  _look(board) {
    const { of, names } = board.kinds;
    const sums = new Float64Array(names.length);
    const runs = new Uint32Array(names.length);
    for (let i = 0; i < board.size; i++) {
      if (board.status[i] !== STATUS.completed || board.start[i] < 0) continue;
      sums[of[i]] += board.end[i] - board.start[i];
      runs[of[i]]++;
    }
    this._means = sums.map((sum, kind) => (runs[kind] ? Math.max(1, sum / runs[kind]) : 0));
    this._board = board;
    this._at = performance.now();
  }
}
