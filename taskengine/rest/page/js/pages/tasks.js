// @ts-check
/** Tasks: all of them, or those of a run. */

import { many } from "../bulk.js";
import { doing } from "../dialog.js";
import { h } from "../dom.js";
import { howOften, listed } from "../listing.js";
import { live } from "../live.js";
import { button, choice, empty, field, filters, head, notYet, pager, runLink, statusChoice, table, taskLink } from "../parts.js";
import { badge } from "../status.js";
import { between, capital, short, span, unadvised, when } from "../words.js";

export const title = () => "Tasks";

const PRIORITIES = ["", "low", "normal", "high", "urgent", "critical"];
const ASKED = ["status", "capability", "created_by", "assigned_to", "priority", "error_kind", "asking", "cursor", "run_id"];
const FILTERS = ASKED.filter((name) => !["asking", "cursor"].includes(name));

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export const mount = (root, route) => list(root, route, {});

/**
 * Show the tasks that meet the filters of the address and *fixed*.
 * @param {HTMLElement} root @param {import("../route.js").Route} route @param {{run_id?: string}} fixed
 */
export function list(root, route, fixed) {
  const isAll = !fixed.run_id;
  return live(root, route, {
    every: howOften,
    load: ({ query }, signal) => listed("/tasks", { ...picked(query, ASKED), ...fixed }, signal),
    draw: (page, { query }, again) => [
      isAll ? head("Tasks", query.run_id ? ["Of the run ", runLink(query.run_id)] : "Whatever was submitted, newest first.") : null,
      h("div", { class: "toolbar" },
        filters(query, statusChoice(query), field("capability", "Queue", query, "whole name"),
          isAll ? field("created_by", "Submitted by", query) : null,
          field("assigned_to", "Pinned to", query, "agent"), choice("priority", "Priority", query, PRIORITIES.slice(1)),
          field("error_kind", "Error kind", query, "such as timeout"), choice("asking", "Questions", query, [["true", "open"]])),
        verbs({ ...picked(query, FILTERS), ...fixed }, query, page, again)),
      page.items.length
        ? table("Tasks", ["Task", "Status", { text: "Queue", class: "extra" }, ...(isAll ? [{ text: "Run", class: "extra" }] : []),
            { text: "Priority", class: "extra" }, { text: "Attempt", class: "number extra" }, { text: "Took", class: "number" },
            { text: "Submitted", class: "extra" }], page.items.map((/** @type {any} */ task) => row(task, isAll)))
        : page.cursor ? notYet() : nothing(query, isAll),
      pager(page.cursor, query, page.items.length),
    ],
  });
}

/** @param {any} task @param {boolean} hasRun */
function row(task, hasRun) {
  const says = task.question ? task.question.text : (task.error_message ?? task.reason);
  return h("tr", { key: task.id },
    h("th", { scope: "row" }, taskLink(task.id, task.name), says ? h("div", { class: "row-note" }, capital(unadvised(says, task.id))) : null),
    h("td", null, badge(task.status, task.question ? "asks" : undefined)),
    h("td", { class: "extra" }, task.assigned_to ? `@${task.assigned_to}` : task.capability),
    hasRun ? h("td", { class: "extra mono" }, task.run_id ? runLink(task.run_id, short(task.run_id)) : "–") : null,
    h("td", { class: "extra" }, PRIORITIES[task.priority] ?? task.priority),
    h("td", { class: "number extra" }, task.attempt || "–"),
    h("td", { class: "number" }, task.started_at && (task.completed_at || task.status === "running") ? span(between(task.started_at, task.completed_at)) : "–"),
    h("td", { class: "extra" }, when(task.created_at)));
}

/** @param {Record<string, any>} filter @param {Record<string, string>} query @param {any} page @param {() => void} again */
function verbs(filter, query, page, again) {
  if (!Object.keys(filter).length || query.asking || !page.items.length) return null;
  const may = (/** @type {string} */ verb, /** @type {string} */ says, isDangerous = false) =>
    button(says, () => void doing(() => many(verb, filter), again), isDangerous ? { class: "danger" } : undefined);
  return h("div", { class: "actions", role: "group", "aria-label": "All tasks that meet the filters" },
    may("retry", "Retry all …"), may("pause", "Pause all …"), may("resume", "Resume all …"), may("cancel", "Cancel all …", true));
}

/** @param {Record<string, string>} query @param {string[]} names */
const picked = (query, names) => Object.fromEntries(Object.entries(query).filter(([name]) => names.includes(name)));

/** @param {Record<string, string>} query @param {boolean} isAll */
function nothing(query, isAll) {
  if (Object.keys(query).length) return empty("No task meets these filters");
  return isAll ? empty("No task yet", "Submit one: ", h("code", null, "taskengine task submit custom --input '{\"message\": \"hello\"}'"))
    : empty("This run has no tasks", "They were deleted, or it has made none yet.");
}
