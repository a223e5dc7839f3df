// @ts-check
/**
 * The board of a run kept true: read once, then told what changed. Views of one run share it.
 *
 * A stream that ends is opened again behind what is known. Only where the server no longer knows what happened since, or
 * where nobody could be asked for long, the board is read anew.
 */
import { get } from "./api.js";
import { Board } from "./board.js";
import { first, note, timed } from "./meter.js";
import { stream } from "./stream.js";

/** Milliseconds until another try, growing. */
const WAITS = [500, 1_000, 2_000, 5_000];
/** Milliseconds for which a board without views is kept: somebody turns from one view to another. */
const KEPT_MS = 20_000;

/**
 * `"board"`: there is another board; `"frame"`: this changed; `"state"`: what the feed says of itself.
 * @typedef {{what: "board" | "frame" | "state", change?: import("./board.js").Change}} News
 * @typedef {"loading" | "live" | "away" | "gone"} State
 */

export class Feed {
  /** @param {string} run its id */
  constructor(run) {
    this.run = run;
    /** @type {Board | null} */
    this.board = null;
    /** @type {State} */
    this.state = "loading";
    /** What the server said when it refused. */
    this.problem = "";
    /** @type {Set<(news: News) => void>} */
    this._views = new Set();
    /** Ends the stream that is there. */
    this._end = () => {};
    this._timer = 0;
    this._failures = 0;
    /** By how much the clock of this browser is ahead of the server's, at most. */
    this._ahead = Infinity;
    this._expire();
    void this._load();
  }

  /** Milliseconds of the run's clock, as near as what was told of it allows. */
  get now() {
    const { board } = this;
    if (!board) return 0;
    const here = Date.now() - board.baseMs;
    return Math.max(board.latest, Number.isFinite(this._ahead) ? here - this._ahead : here);
  }

  /** @param {(news: News) => void} view @returns {() => void} what ends it */
  listen(view) {
    this._views.add(view);
    return () => {
      this._views.delete(view);
      this._expire();
    };
  }

  /** Go, if nobody looks for a while. */
  _expire() {
    setTimeout(() => this._views.size || forget(this), KEPT_MS);
  }

  close() {
    clearTimeout(this._timer);
    this._end();
  }

  async _load() {
    let graph;
    try {
      graph = await get(`/runs/${this.run}/graph`, { view: "compact" });
    } catch (error) {
      return this._refused(/** @type {import("./api.js").ApiError} */ (error));
    }
    first("taskengine:graph");
    this.board = timed("board", () => new Board(graph));
    this._failures = 0;
    this._connect();
    this._tell({ what: "board" });
  }

  /** @param {import("./api.js").ApiError} problem */
  _refused(problem) {
    if (problem.isGone) return this._become("gone", problem.message);
    this._become("away", problem.message);
    if (problem.status !== 401) this._again(() => this._load());
  }

  _connect() {
    const { board } = this;
    if (!board) return;
    this._end();
    const address = () => `/runs/${this.run}/live?after=${board.seq}&size=${board.size}`;
    const heard = {
      open: () => {
        this._failures = 0;
        this._become("live");
      },
      message: (/** @type {import("./board.js").Frame} */ frame) => this._fold(frame),
      reset: () => this._anew(),
      gone: () => {
        this._end();
        this._become("gone", "The run is not here any more: it was deleted, or pruned after its retention. The picture is as it was.");
      },
    };
    this._end = stream(address, heard, () => this._lost());
  }

  /** It is opened again; but a refusal has no words on a stream: asking for the graph tells whether the run is there. */
  _lost() {
    if (this.state === "live") this._become("away");
    if (++this._failures > WAITS.length) this._anew();
  }

  _anew() {
    this._end();
    void this._load();
  }

  /** @param {import("./board.js").Frame} frame */
  _fold(frame) {
    const { board } = this;
    if (!board) return;
    const change = timed("fold", () => board.apply(frame));
    if (!change.changed.length && !change.grown) return;
    const here = Date.now() - board.baseMs;
    this._ahead = Math.min(this._ahead, here - board.latest);
    const oldest = change.changed.reduce((least, i) => (board.moved(i) < 0 ? least : Math.min(least, board.moved(i))), here);
    requestAnimationFrame(() => setTimeout(() => note("event to pixel", Date.now() - board.baseMs - oldest)));
    this._tell({ what: "frame", change });
  }

  /** @param {() => unknown} work */
  _again(work) {
    clearTimeout(this._timer);
    this._timer = setTimeout(work, WAITS[Math.min(this._failures++, WAITS.length - 1)]);
  }

  /** @param {State} state @param {string} [problem] */
  _become(state, problem = "") {
    if (state === this.state && problem === this.problem) return;
    Object.assign(this, { state, problem });
    this._tell({ what: "state" });
  }

  /** @param {News} news */
  _tell(news) {
    for (const view of this._views) view(news);
  }
}

/** @type {Map<string, Feed>} */
const feeds = new Map();

/** The feed of a run, shared by all who look at it. @param {string} run its id */
export function feedOf(run) {
  let feed = feeds.get(run);
  if (!feed || feed.state === "gone") feeds.set(run, (feed = new Feed(run)));
  return feed;
}

/** @param {Feed} feed */
function forget(feed) {
  feed.close();
  if (feeds.get(feed.run) === feed) feeds.delete(feed.run);
}
