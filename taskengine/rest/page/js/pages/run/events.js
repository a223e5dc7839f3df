// @ts-check
/** What happened in a run, in its order: a window of its gap-free history, which follows the end. */

import { get, post } from "../../api.js";
import { h } from "../../dom.js";
import { live } from "../../live.js";
import { button, empty, taskLink } from "../../parts.js";
import { refine } from "../../route.js";
import { full, moment, number, short } from "../../words.js";
import { tell } from "../../sentences.js";

const WINDOW = 200;

/** @param {HTMLElement} root @param {any} run @param {import("../../route.js").Route} route */
export function mount(root, run, route) {
  /** @type {Map<string, string>} */ const names = new Map();
  /** @type {any[]} */ let shown = [];
  let from = -1;
  let shownFor = "";
  return live(root, route, {
    every: 1000,
    load: async ({ query }, signal) => {
      const wanted = query.after ?? "";
      if (wanted !== shownFor || from < 0) {
        shownFor = wanted;
        shown = [];
        from = wanted === "" ? Math.max(0, (await lastOf(run.id, signal)) - WINDOW) : Number(wanted) || 0;
      }
      const isFollowing = wanted === "";
      const after = shown.at(-1)?.sequence ?? from;
      if (isFollowing || shown.length < WINDOW) {
        const more = (await get(`/runs/${run.id}/events`, { after, limit: isFollowing ? 1000 : WINDOW - shown.length }, signal)).items;
        shown = [...shown, ...more].slice(isFollowing ? -WINDOW : 0);
      }
      await learn(names, shown);
      return { shown, isFollowing };
    },
    draw: ({ shown: events, isFollowing }) => events.length ? view(run, events, isFollowing, names) : empty("Nothing happened here yet"),
  });
}

/** @param {any} run @param {any[]} events @param {boolean} isFollowing @param {Map<string, string>} names */
function view(run, events, isFollowing, names) {
  const first = events[0].sequence;
  return [
    h("div", { class: "toolbar" },
      h("p", { class: "quiet" }, isFollowing ? `The latest ${number(events.length, "event")}, as they come.` : `Events ${first} to ${events.at(-1).sequence}.`),
      h("div", { class: "actions" },
        first > 1 ? button("Earlier", () => refine({ after: Math.max(0, first - 1 - WINDOW) }, true)) : null,
        isFollowing ? null : button("Later", () => refine({ after: events.at(-1).sequence }, true)),
        isFollowing ? null : button("Follow the end", () => refine({ after: null }, true)))),
    h("ol", { class: "events", "aria-label": "Events" }, [...events].reverse().map((event) =>
      h("li", { key: event.sequence },
        h("time", { datetime: event.at, title: full(event.at) }, moment(event.at)),
        h("span", { class: "event-number" }, String(event.sequence)),
        h("span", null, event.task_id ? [taskLink(event.task_id, names.get(event.task_id) ?? short(event.task_id)), " "] : null, tell(event))))),
  ];
}

/** The number of the latest event: sequences have no gaps, so it is found by halving. @param {string} id @param {AbortSignal} signal */
async function lastOf(id, signal) {
  const isThere = async (/** @type {number} */ after) => (await get(`/runs/${id}/events`, { after, limit: 1 }, signal)).items.length > 0;
  let low = 0;
  let high = 256;
  while (await isThere(high)) [low, high] = [high, high * 4];
  while (high - low > 32) {
    const middle = (low + high) >> 1;
    if (await isThere(middle)) low = middle;
    else high = middle;
  }
  return high;
}

/** Ask for the names of tasks that were not seen yet. @param {Map<string, string>} names @param {any[]} events */
async function learn(names, events) {
  const unseen = [...new Set(events.map((event) => event.task_id).filter((id) => id && !names.has(id)))];
  for (const id of unseen) names.set(id, short(id));
  const gone = new Set(events.filter((event) => event.what === "deleted").map((event) => event.task_id));
  const unknown = unseen.filter((id) => !gone.has(id)); // to ask for one that is gone is to hear of none
  if (!unknown.length) return;
  await post("/tasks:read", { task_ids: unknown })
    .then(({ items }) => items.forEach((/** @type {any} */ task) => names.set(task.id, task.name)))
    .catch(() => {}); // one of them is deleted: ids will do
}
