// @ts-check
/** When something will be over, from how fast it went while somebody looked. */

/** Milliseconds that count. */
const WINDOW = 60_000;
/** Ends below which nothing is said. */
const FEWEST = 5;
/** Milliseconds below which a burst would pass for a pace. */
const SHORTEST = 4000;

/** Ends of one run that were seen. */
export class Pace {
  /** @type {[number, number][]} moment, tasks that were over */
  #seen = [];

  /** @param {number} over @param {number} [now] */
  note(over, now = Date.now()) {
    const last = this.#seen.at(-1);
    if (last && over < last[1]) this.#seen = []; // reopened: what was before says nothing
    this.#seen.push([now, over]);
    while (this.#seen.length > 2 && this.#seen[1][0] < now - WINDOW) this.#seen.shift();
  }

  /** Tasks a second; null while too few ended to tell. @returns {number | null} */
  get rate() {
    const first = this.#seen[0];
    const last = this.#seen.at(-1);
    if (!first || !last || last[1] - first[1] < FEWEST || last[0] - first[0] < SHORTEST) return null;
    return ((last[1] - first[1]) * 1000) / (last[0] - first[0]);
  }

  /** Seconds until so many more are over; null when nobody can tell. @param {number} open @returns {number | null} */
  left(open) {
    const { rate } = this;
    return rate && open ? open / rate : null;
  }
}
