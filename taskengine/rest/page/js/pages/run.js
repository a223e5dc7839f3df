// @ts-check
/** One run: how far it is, what may be done to it, and its views. */

import { get, post } from "../api.js";
import { many } from "../bulk.js";
import { doing, given, question, reasonField } from "../dialog.js";
import { element, h, render } from "../dom.js";
import { feedOf } from "../feed.js";
import { Pace } from "../forecast.js";
import { live } from "../live.js";
import { button, failure, head, loading, tabs, whole } from "../parts.js";
import { remaining } from "../remaining.js";
import { href } from "../route.js";
import { bar, overOf, tally } from "../status.js";
import { about, between, number, short, span, when } from "../words.js";
import { stateOf } from "./runs.js";

export const title = (/** @type {any} */ route) => `Run ${short(route.path[1])}`;

/** Views of a run, the first of which is shown: each draws in an element, and returns what ends that.
 * @type {Record<string, (stage: HTMLElement, run: any, route: any) => Promise<any>>} */
const VIEWS = {
  graph: async (stage, run) => (await import("./run/graph.js")).mount(stage, run),
  timeline: async (stage, run) => (await import("./run/timeline.js")).mount(stage, run),
  tasks: async (stage, run, route) => (await import("./tasks.js")).list(stage, route, { run_id: run.id }),
  events: async (stage, run, route) => (await import("./run/events.js")).mount(stage, run, route),
};
const TABS = Object.keys(VIEWS);
/** What is drawn from the run's own columns waits for nothing that the header shows. */
const DRAWN = new Set(["graph", "timeline"]);

/** Milliseconds for which the number of slots, and a forecast, are believed. */
const FRESH = 5000;

/** When a run will be over, as far as its tasks tell. */
class Forecast {
  #slots = 0;
  #asked = -Infinity;
  #said = -Infinity;
  /** @type {number | null} */ #left = null;

  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.close = feedOf(id).listen(() => {});
  }

  /** Ask how many slots there are, now and then. @param {AbortSignal} signal */
  async look(signal) {
    if (performance.now() - this.#asked < FRESH) return;
    const { items } = await get("/workers", {}, signal);
    this.#slots = items.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + (each.alive ? each.slots : 0), 0);
    this.#asked = performance.now();
  }

  /** Seconds that are left; null where nobody can tell: too few ended, or somebody is waited for. @param {any} run */
  left(run) {
    if (run.finished_at || run.pause || run.counts.paused) return null;
    const { board, now } = feedOf(this.id);
    if (board && performance.now() - this.#said > 1000) {
      this.#left = remaining(board, this.#slots, now);
      this.#said = performance.now();
    }
    return this.#left;
  }
}

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  const [, id, tab = TABS[0]] = route.path;
  const pace = new Pace();
  const forecast = new Forecast(id);
  const top = element("div", { class: "run-head" });
  const stage = element("div", { class: `run-view view-${tab}` });
  root.replaceChildren(top, tabbed(id, tab), stage);
  /** @type {any} */ let view = null;
  let isClosed = false;

  /** @param {any} run */
  async function open(run) {
    view = () => {};
    try {
      const made = await (VIEWS[tab] ?? VIEWS[TABS[0]])(stage, run, route);
      if (isClosed) close(made);
      else view = made;
    } catch (error) {
      console.error(error);
      render(stage, failure(error, () => location.reload()));
    }
  }

  if (DRAWN.has(tab)) void open({ id });
  const header = live(top, route, {
    every: (run) => (run.finished_at ? 5000 : 1000),
    load: async (_, signal) => {
      const [run, pauses] = await Promise.all([get(`/runs/${id}`, {}, signal), get("/pauses", {}, signal), forecast.look(signal)]);
      return { ...run, pause: pauses.items.find((/** @type {any} */ each) => each.scope === "run" && each.name === id) };
    },
    draw: (run, _, again) => {
      document.title = `${run.name ?? `Run ${short(id)}`} · taskengine`;
      pace.note(overOf(run.counts));
      if (!view) void open(run);
      return summary(run, pace.rate, forecast.left(run), again);
    },
  });
  render(stage, loading());
  return {
    close() {
      isClosed = true;
      header.close();
      forecast.close();
      close(view);
    },
    /** @param {import("../route.js").Route} changed */
    update(changed) {
      view?.update?.(changed);
    },
  };
}

/** @param {any} view */
const close = (view) => (typeof view === "function" ? view() : view?.close?.());

/** @param {string} id @param {string} tab */
function tabbed(id, tab) {
  const holder = element("div");
  render(holder, tabs("Views of the run", TABS.map((each) => [each[0].toUpperCase() + each.slice(1), href(["runs", id, each]), each === tab])));
  return holder;
}

/** @param {any} run @param {number | null} rate @param {number | null} left seconds @param {() => void} again */
function summary(run, rate, left, again) {
  const took = span(between(run.created_at, run.finished_at));
  return [
    head(run.name ?? `Run ${short(run.id)}`, [stateOf(run), whole(run.id), run.created_by ? h("span", null, `by ${run.created_by}`) : null,
      h("span", null, "began ", when(run.created_at))], actions(run, again)),
    run.pause ? h("p", { class: "notice" }, `Paused by ${run.pause.by}`, run.pause.reason ? `: ${run.pause.reason}` : "",
      run.pause.running ? ` (${number(run.pause.running, "task")} still running)` : "") : null,
    !run.total_tasks ? null : h("div", { class: "panel run-numbers" },
      bar(run.counts),
      h("div", { class: "run-line" },
        tally(run.counts, (status) => href(["runs", run.id, "tasks"], { status })),
        h("div", { class: "run-pace" },
          h("span", null, `${overOf(run.counts).toLocaleString("en")} of ${number(run.total_tasks, "task")} over`),
          rate && !run.finished_at ? h("span", null, `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a second`) : null,
          h("span", null, run.finished_at ? `took ${took}` : `${took} so far`),
          left !== null ? h("span", { title: "The longer of the longest path that is open and of all open work on the slots there are" }, `ends in ${about(left)}`) : null))),
  ];
}

/** @param {any} run @param {() => void} again */
function actions(run, again) {
  const act = (/** @type {() => Promise<any>} */ deed) => () => void doing(deed, again);
  return [
    run.finished_at ? null : run.pause
      ? button("Resume", act(async () => ((await post("/pauses:end", { run_id: run.id })).result ? "The run goes on" : "It was not paused")))
      : button("Pause …", act(() => pause(run))),
    run.counts.failed ? button("Retry failed …", act(() => many("retry", { run_id: run.id, status: "failed" }))) : null,
    run.finished_at ? null : button("Cancel …", act(() => many("cancel", { run_id: run.id })), { class: "danger" }),
  ];
}

/** @param {any} run */
async function pause(run) {
  const answer = await question({
    title: "Pause this run?", text: h("p", null, "Nothing of it starts any more; what runs goes on and counts."),
    fields: reasonField(), action: "Pause the run",
  });
  if (!answer) return null;
  const made = await post("/pauses", given({ run_id: run.id, ...answer }));
  return made.running ? `Paused; ${number(made.running, "task")} still running` : "Paused";
}
