// @ts-check
/** The eight statuses of a task, each with a colour and a sign of its own: nobody has to tell colours apart. */

import { h } from "./dom.js";

/** In the order in which a bar shows them: what is over first, what waits last. */
export const STATUSES = ["completed", "failed", "cancelled", "running", "retrying", "paused", "ready", "pending"];
export const OVER = new Set(["completed", "failed", "cancelled"]);

/** Strokes in a square of 12. @type {Record<string, string>} */
const SIGNS = {
  pending: "M6 2.5a3.5 3.5 0 1 0 .01 0z",
  ready: "M6 2.5a3.5 3.5 0 1 0 .01 0zM6 4.300V6l1.3 1.1",
  running: "M4 2.800l4.8 3.200L4 9.200z",
  completed: "M2.7 6.300l2.2 2.3 4.4-5",
  failed: "M3.2 3.200l5.6 5.600M8.8 3.200L3.2 8.8",
  cancelled: "M6 2.300a3.7 3.7 0 1 0 .01 0zM3.5 8.500l5-5",
  paused: "M4.3 3v6M7.7 3v6",
  retrying: "M9.2 5.300A3.4 3.4 0 1 0 9 7.700M9.4 2.900v2.500H6.9",
};
/** Statuses of other things, drawn as those of tasks. @type {Record<string, string>} */
const LIKE = {
  waiting: "ready", queued: "ready", skipped: "cancelled", not_taken: "cancelled", cancelling: "cancelled",
  timed_out: "failed", lost: "failed", online: "completed", busy: "running", draining: "paused", offline: "cancelled",
  ok: "completed", notice: "retrying", wrong: "failed",
};

/** The sign of a status as the strokes of a path, in a square of 12. @param {string} status */
export const strokes = (status) => SIGNS[kin(status)];

/** As which status of a task something is drawn. @param {string} status */
export const kin = (status) => LIKE[status] ?? (status in SIGNS ? status : "pending");
/** @param {string} status */
export const word = (status) => status.replace(/_/g, " ");

/** The sign of a status; what it says stands beside it. @param {string} status */
export function sign(status) {
  return h("svg", { class: `sign s-${kin(status)}`, viewBox: "0 0 12 12", "aria-hidden": "true" },
    h("path", { d: SIGNS[kin(status)] }));
}

/** A status as sign and word. @param {string} status @param {string} [says] */
export function badge(status, says) {
  return h("span", { class: `badge s-${kin(status)}` }, sign(status), says ?? word(status));
}

/** How many of the counted are over: of one answer, so that it agrees with what stands beside it. @param {Record<string, number>} counts */
export const overOf = (counts) => [...OVER].reduce((sum, status) => sum + (counts[status] ?? 0), 0);

/** How many are in each status, as a sentence. @param {Record<string, number>} counts */
export function spoken(counts) {
  const found = STATUSES.filter((status) => counts[status]);
  return found.length ? found.map((status) => `${counts[status]} ${status}`).join(", ") : "no task";
}

/** Tasks by status as one bar. @param {Record<string, number>} counts */
export function bar(counts) {
  const parts = STATUSES.filter((status) => counts[status]).map((status) =>
    h("span", { key: status, class: `s-${status}`, style: { "flex-grow": String(counts[status]) } }));
  return h("div", { class: "bar", role: "img", "aria-label": spoken(counts), title: spoken(counts) }, parts);
}

/** Signs, words and numbers of the statuses that there are; links where *to* says whither.
 * @param {Record<string, number>} counts @param {(status: string) => string} [to] */
export function tally(counts, to) {
  const one = (/** @type {string} */ status) => {
    const inside = [sign(status), h("b", null, counts[status].toLocaleString("en")), h("span", null, status)];
    return to
      ? h("a", { key: status, class: "count", href: to(status) }, inside)
      : h("span", { key: status, class: "count" }, inside);
  };
  return h("div", { class: "tally" }, STATUSES.filter((status) => counts[status]).map(one));
}
