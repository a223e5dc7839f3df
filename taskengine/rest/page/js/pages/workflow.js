// @ts-check
/** One workflow: its tree of steps, what waits and for what, and what may be said to it. */

import { get } from "../api.js";
import { h } from "../dom.js";
import { live } from "../live.js";
import { facts, head, json, panel, whole } from "../parts.js";
import { href } from "../route.js";
import { badge } from "../status.js";
import { between, short, span, unadvised, when } from "../words.js";
import { steps } from "./workflow/steps.js";
import { actions } from "./workflow/verbs.js";
import { waiting } from "./workflow/waiting.js";

export const title = (/** @type {any} */ route) => `Workflow ${short(route.path[1])}`;

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  const id = route.path[1];
  /** Steps whose many children somebody opened -> their page. @type {Map<string, any>} */
  const opened = new Map();
  const view = live(root, route, {
    every: (/** @type {any} */ { state }) => (state.completed_at ? 5000 : 1500),
    async load(_, signal) {
      const [state, workflow] = await Promise.all([get(`/workflows/${id}/status`, {}, signal), get(`/workflows/${id}`, {}, signal)]);
      for (const path of opened.keys()) opened.set(path, await get(`/workflows/${id}/children`, { step: path, limit: 100 }, signal));
      return { state, workflow };
    },
    draw: ({ state, workflow }, _, again) => {
      document.title = `${state.name} · taskengine`;
      return page(state, workflow, opened, again);
    },
  });
  return view;
}

/** @param {any} state @param {any} workflow @param {Map<string, any>} opened @param {() => void} again */
function page(state, workflow, opened, again) {
  const asked = waiting(state, workflow, again);
  return [
    head(state.name, [badge(state.status), whole(state.id), h("a", { href: href(["runs", state.id]) }, "Its tasks as a run"),
      h("span", null, "began ", when(state.started_at ?? state.created_at))], actions(state, again)),
    state.error_message ? h("p", { class: "notice bad" }, state.failed_step && !state.error_message.includes(state.failed_step) ? `${state.failed_step}: ` : "", state.error_message) : null,
    asked.length || !state.why ? asked : h("p", { class: "notice" }, unadvised(state.why, state.id)),
    h("div", { class: "split" },
      h("div", { class: "main-column" },
        panel("Steps", steps(state, state.steps, opened, again), state.finally_steps.length ? [h("h3", null, "Finally"), steps(state, state.finally_steps, opened, again)] : null)),
      h("div", { class: "side-column" },
        panel("What it is", facts([
          ["Started by", workflow.created_by], ["Version", workflow.version], ["Began", state.started_at && when(state.started_at)],
          ["Ended", state.completed_at && when(state.completed_at)], ["Took", state.started_at && span(between(state.started_at, state.completed_at))],
          ["Reason", state.reason], ["Description", workflow.description]])),
        panel("Variables", Object.keys(state.variables).length ? json(state.variables, "Variables") : h("p", { class: "quiet" }, "None.")),
        panel("Outputs", workflow.result ? json(workflow.result, "Outputs") : h("p", { class: "quiet" }, state.completed_at ? "None." : "None yet.")))),
  ];
}
