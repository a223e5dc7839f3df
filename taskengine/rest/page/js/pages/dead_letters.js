// @ts-check
/** Tasks that lost one worker after another and were given up. */

import { post } from "../api.js";
import { doing, question } from "../dialog.js";
import { h } from "../dom.js";
import { howOften, listed } from "../listing.js";
import { live } from "../live.js";
import { button, empty, field, filters, head, notYet, pager, table, taskLink } from "../parts.js";
import { capital, number, when } from "../words.js";
import { asides } from "./quarantine.js";

export const title = () => "Dead letters";

/** At most so many are counted. */
const COUNTED = 1000;
const DONE = { requeue: "opened again", drop: "struck off the list" };

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  return live(root, route, {
    every: howOften,
    load: ({ query }, signal) => listed("/dead-letters", query, signal),
    draw: (page, { query }, again) => [
      head("Set aside", "What the engine gave up on, until somebody looks."),
      asides("dead-letters"),
      h("div", { class: "toolbar" },
        filters(query, field("capability", "Queue", query, "whole name")),
        page.items.length ? h("div", { class: "actions", role: "group", "aria-label": "All dead letters that meet the filters" },
          button("Requeue all …", () => void doing(() => all("requeue", query), again)),
          button("Drop all …", () => void doing(() => all("drop", query), again), { class: "danger" })) : null),
      page.items.length
        ? table("Dead letters", ["Task", { text: "Queue", class: "extra" }, { text: "Lost workers", class: "number" }, { text: "Given up", class: "extra" }, ""],
            page.items.map((/** @type {any} */ each) => row(each, again)))
        : page.cursor ? notYet() : empty(query.capability ? "No dead letter in this queue" : "No dead letter", "A task whose workers died again and again would stand here."),
      pager(page.cursor, query, page.items.length),
    ],
  });
}

/** @param {any} letter @param {() => void} again */
function row({ task, at }, again) {
  const one = (/** @type {"requeue" | "drop"} */ verb) => () => void doing(async () => {
    const came = await post(`/dead-letters:${verb}`, { task_ids: [task.id] });
    return told(verb, came);
  }, again);
  return h("tr", { key: task.id },
    h("th", { scope: "row" }, taskLink(task.id, task.name), h("div", { class: "row-note" }, task.error_message && capital(task.error_message))),
    h("td", { class: "extra" }, task.capability), h("td", { class: "number" }, task.lost_count), h("td", { class: "extra" }, when(at)),
    h("td", { class: "act" }, button("Requeue", one("requeue"), { "aria-label": `Requeue ${task.name}` }), " ",
      button("Drop", one("drop"), { class: "danger", "aria-label": `Drop ${task.name}` })));
}

/** @param {"requeue" | "drop"} verb @param {Record<string, string>} query */
async function all(verb, { capability }) {
  const filter = capability ? { capability } : {};
  const page = await listed("/dead-letters", filter, undefined, COUNTED);
  if (!page.items.length) return "None is left";
  const count = page.cursor ? `more than ${page.items.length.toLocaleString("en")} dead letters` : number(page.items.length, "dead letter");
  const text = verb === "requeue" ? "They are opened again with a fresh count of losses; what kills workers will kill some more."
    : "They leave this list; their tasks stay failed, with their history.";
  const action = `${verb === "requeue" ? "Requeue" : "Drop"} ${count}`;
  if (!(await question({ title: `${action}?`, text: h("p", null, text), action, isDangerous: verb === "drop" }))) return null;
  return told(verb, await post(`/dead-letters:${verb}`, capability ? filter : { everything: true }));
}

/** @param {"requeue" | "drop"} verb @param {any} came */
function told(verb, came) {
  const left = Object.keys(came.skipped ?? {}).length;
  return `${number(came.items.length, "task")} ${DONE[verb]}${left ? `; ${left} belong to a workflow, which is retried as a whole` : ""}`;
}
