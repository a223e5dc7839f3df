// @ts-check
/** What a task waits for, and what waits for it. */

import { get, post } from "../../api.js";
import { h } from "../../dom.js";
import { button, taskLink } from "../../parts.js";
import { href } from "../../route.js";
import { sign } from "../../status.js";
import { number } from "../../words.js";

/** Neighbours that are named, and tasks of a run whose edges are asked for. */
const MOST = 20;
const LARGE = 3000;

/** The edges of one task; *redraw* is called when there is more to show. @param {string} id @param {() => void} redraw */
export function edges(id, redraw) {
  /** @type {any[] | null} */ let behind = null;
  let total = 0;
  /** @type {any} */ let says = null;

  /** @param {any} task */
  async function look(task) {
    says = "Looking …";
    redraw();
    try {
      const { total_tasks: size } = await get(`/runs/${task.run_id}`);
      if (size > LARGE) {
        says = ["The run has ", number(size, "task"), ": its ", h("a", { href: href(["runs", task.run_id]) }, "graph"), " shows them."];
        return redraw();
      }
      const graph = await get(`/runs/${task.run_id}/graph`);
      const ids = graph.edges.filter((/** @type {any} */ edge) => edge.source === id).map((/** @type {any} */ edge) => edge.target);
      behind = ids.length ? (await post("/tasks:read", { task_ids: ids.slice(0, MOST) })).items : [];
      [total, says] = [ids.length, null];
    } catch (error) {
      says = error instanceof Error ? error.message : String(error);
    }
    redraw();
  }

  return {
    /** @param {any} task @param {any[]} before */
    draw: (task, before) => [
      h("h3", null, "Waits for"),
      before.length ? list(before, task.depends_on.length) : h("p", { class: "quiet" }, "Nothing."),
      h("h3", null, "Waited for by"),
      says ? h("p", { class: "quiet" }, says) : behind === null ? h("div", null, button("Show", () => void look(task), { "aria-label": "Show what waits for it" }))
        : behind.length ? list(behind, total) : h("p", { class: "quiet" }, "Nothing."),
    ],
  };
}

/** @param {any[]} tasks @param {number} total */
const list = (tasks, total) => [
  h("ul", { class: "plain" }, tasks.slice(0, MOST).map((each) =>
    h("li", { key: each.id }, sign(each.status), " ", taskLink(each.id, each.name), h("span", { class: "quiet" }, ` ${each.status}`)))),
  total > MOST ? h("p", { class: "quiet" }, `and ${number(total - MOST, "more", "more")}`) : null,
];
