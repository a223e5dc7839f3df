// @ts-check
/** What a timeline is made from: bars in lanes, the path that took longest, how many ran at once. */

/**
 * Lane of each bar, so that no two of a lane overlap; -1 for what has not started.
 *
 * Bars go, by their start, into the lane that was free for the longest time; there are as many lanes as ran at once.
 * @param {Float64Array} start @param {Float64Array} end milliseconds, -1 is "not yet" @param {number} now
 * @returns {{lane: Int32Array, lanes: number, order: Uint32Array}} order: indices of the bars by start
 */
export function packed(start, end, now) {
  const order = Uint32Array.from([...start.keys()].filter((i) => start[i] >= 0))
    .sort((one, other) => start[one] - start[other] || one - other);
  const lane = new Int32Array(start.length).fill(-1);
  const free = new FreeLanes();
  for (const i of order) {
    const over = end[i] < 0 ? Math.max(now, start[i]) : Math.max(end[i], start[i]);
    lane[i] = free.take(start[i], over);
  }
  return { lane, lanes: free.lanes, order };
}

/** Lanes by the moment at which they are free: a heap of the busy ones. */
class FreeLanes {
  constructor() {
    this.lanes = 0;
    /** @type {[number, number][]} moment and lane, the earliest first */
    this._heap = [];
  }

  /** @param {number} start @param {number} end @returns {number} */
  take(start, end) {
    const first = this._heap[0];
    if (!first || first[0] > start) {
      this._push([end, this.lanes]);
      return this.lanes++;
    }
    const lane = first[1];
    this._heap[0] = [end, lane];
    this._sink();
    return lane;
  }

  /** @param {[number, number]} entry */
  _push(entry) {
    const heap = this._heap;
    heap.push(entry);
    for (let at = heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!earlier(heap[at], heap[above])) return;
      [heap[at], heap[above]] = [heap[above], heap[at]];
      at = above;
    }
  }

  _sink() {
    const heap = this._heap;
    for (let at = 0; ; ) {
      let least = at;
      for (const below of [2 * at + 1, 2 * at + 2]) {
        if (below < heap.length && earlier(heap[below], heap[least])) least = below;
      }
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least], heap[at]];
      at = least;
    }
  }
}

/** @param {[number, number]} one @param {[number, number]} other */
function earlier(one, other) {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
}

/**
 * The tasks because of which the run ends when it does, from its first to its last: back from the task that ended
 * last, each time to the dependency that ended last. Empty before anything ended.
 * @param {{size: number, end: Float64Array, around: {up: import("./adjacency.js").Adjacency}}} board
 * @returns {number[]}
 */
export function criticalPath(board) {
  let at = -1;
  for (let i = 0; i < board.size; i++) if (board.end[i] >= 0 && (at < 0 || board.end[i] > board.end[at])) at = i;
  const { from, at: parents } = board.around.up;
  const path = [];
  while (at >= 0) {
    path.push(at);
    let latest = -1;
    for (let e = from[at]; e < from[at + 1]; e++) {
      const parent = parents[e];
      if (board.end[parent] >= 0 && (latest < 0 || board.end[parent] > board.end[latest])) latest = parent;
    }
    at = latest;
  }
  return path.reverse();
}

/**
 * How many ran at once in each of *buckets* equal parts of [from, to], as a mean.
 * @param {Float64Array} start @param {Float64Array} end @param {Uint32Array} order @param {number} from
 * @param {number} to @param {number} buckets @param {number} now
 */
export function running(start, end, order, from, to, buckets, now) {
  const found = new Float64Array(buckets);
  const width = (to - from) / buckets;
  if (!(width > 0)) return found;
  for (const i of order) {
    const begin = Math.max(from, start[i]);
    const over = Math.min(to, end[i] < 0 ? now : end[i]);
    if (over <= begin) continue;
    const first = Math.min(buckets - 1, Math.floor((begin - from) / width));
    const last = Math.min(buckets - 1, Math.floor((over - from) / width));
    for (let at = first; at <= last; at++) {
      const left = from + at * width;
      found[at] += (Math.min(over, left + width) - Math.max(begin, left)) / width;
    }
  }
  return found;
}
