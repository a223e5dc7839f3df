// @ts-check
/** The tree of steps, as the definition has them. */

import { h } from "../../dom.js";
import { taskLink } from "../../parts.js";
import { badge, bar } from "../../status.js";
import { between, number, span, unadvised } from "../../words.js";

/** @param {any} workflow @param {any[]} found @param {Map<string, any>} opened @param {() => void} again @returns {any} */
export const steps = (workflow, found, opened, again) =>
  h("ol", { class: "steps" }, found.map((each) => step(workflow, each, opened, again)));

/** @param {any} workflow @param {any} state @param {Map<string, any>} opened @param {() => void} again */
function step(workflow, state, opened, again) {
  const name = state.label ? `${state.name}: ${state.label}` : state.name;
  const page = opened.get(state.path);
  const inner = state.children.length ? state.children : (page?.items ?? []);
  return h("li", { key: state.path },
    h("div", { class: "step" },
      h("span", { class: "step-name" }, state.task_id && state.kind === "task" ? taskLink(state.task_id, name) : name,
        state.kind === "task" ? null : h("span", { class: "kind" }, state.kind.replace(/_/g, " ")),
        state.branch ? h("span", { class: "kind" }, `took ${state.branch}`) : null),
      h("span", { class: "step-state" },
        state.attempt > 1 ? h("span", { class: "quiet" }, `attempt ${state.attempt}`) : null,
        state.started_at ? h("span", { class: "quiet" }, span(between(state.started_at, state.completed_at))) : null,
        badge(state.status))),
    state.why ? h("p", { class: "step-why" }, unadvised(state.why, workflow.id)) : null,
    state.error_message ? h("p", { class: "step-why bad-text" }, state.error_message) : null,
    state.counts && !state.children.length && state.counts.total ? many(state, opened, again) : null,
    inner.length ? steps(workflow, inner, opened, again) : null,
    page?.cursor ? h("p", { class: "quiet" }, `The first ${number(page.items.length, "one", "ones")} are shown.`) : null);
}

/** Children as numbers; a page of them on request. @param {any} state @param {Map<string, any>} opened @param {() => void} again */
function many({ path, name, counts }, opened, again) {
  const open = counts.total - counts.completed - counts.failed - counts.cancelled;
  const isOpen = opened.has(path);
  const toggle = () => {
    if (isOpen) opened.delete(path);
    else opened.set(path, null);
    again();
  };
  return h("div", { class: "step-many" },
    bar({ completed: counts.completed, failed: counts.failed, cancelled: counts.cancelled, pending: open }),
    h("button", { type: "button", "aria-expanded": String(isOpen), "aria-label": `${isOpen ? "Hide" : "Show"} what is in ${name}`, onclick: toggle },
      `${isOpen ? "Hide" : "Show"} ${counts.total.toLocaleString("en")}`));
}
