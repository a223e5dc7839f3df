// @ts-check
/** What may be done to a task as it stands. */

import { ask, post } from "../../api.js";
import { doing, given, question, reasonField } from "../../dialog.js";
import { h } from "../../dom.js";
import { button } from "../../parts.js";
import { go } from "../../route.js";
import { OVER } from "../../status.js";

const PRIORITIES = ["low", "normal", "high", "urgent", "critical"];

/** @param {any} task @param {() => void} again */
export function actions(task, again) {
  const act = (/** @type {() => Promise<any>} */ deed) => () => void doing(deed, again);
  const to = (/** @type {string} */ verb, body = {}) => post(`/tasks/${task.id}/${verb}`, body);
  const waits = task.status === "pending" || task.status === "ready";
  if (OVER.has(task.status)) {
    return [
      task.status === "completed" ? null : button("Retry", act(async () => (await to("retry"), "Opened again"))),
      button("Delete …", () => void doing(() => remove(task), () => {}), { class: "danger" }), // nothing is left to look at
    ];
  }
  const isPaused = (task.status === "paused" && !task.question) || task.pause_requested;
  return [
    task.hold ? button("Release", act(async () => (await to("release"), "Released"))) : null,
    !task.hold && waits ? button("Hold", act(async () => (await to("hold"), "Held back until it is released"))) : null,
    task.hold || (waits && task.scheduled_at) ? button("Start now", act(async () => (await to("execute"), "Starts as soon as it may"))) : null,
    isPaused ? button("Resume", act(async () => (await to("resume"), "Resumed"))) : null,
    isPaused || task.question ? null : button("Pause …", act(() => pause(to))),
    button("Priority …", act(() => reorder(task))),
    button("Cancel …", act(() => cancel(task, to)), { class: "danger" }),
  ];
}

/** @param {(verb: string, body?: any) => Promise<any>} to */
async function pause(to) {
  const answer = await question({ title: "Pause this task?", text: h("p", null, "What runs ends as it ends; no further attempt starts."), fields: reasonField(), action: "Pause it" });
  if (!answer) return null;
  const made = await to("pause", given(answer));
  return made.state === "draining" ? "It pauses when its attempt ends" : "Paused";
}

/** @param {any} task @param {(verb: string, body?: any) => Promise<any>} to */
async function cancel(task, to) {
  const text = task.status === "running" ? "Its agent is asked to stop, and given its grace." : "It never starts, nor does what needs it.";
  const answer = await question({ title: `Cancel ${task.name}?`, text: h("p", null, text), fields: reasonField(), action: "Cancel it", isDangerous: true });
  if (!answer) return null;
  return (await to("cancel", given(answer))).result ? "Cancelled, or asked to stop" : "It was over already";
}

/** @param {any} task */
async function remove(task) {
  const answer = await question({ title: `Delete ${task.name}?`, text: h("p", null, "With its attempts, logs and result. Nobody can bring it back."), action: "Delete it", isDangerous: true });
  if (!answer) return null;
  await ask("DELETE", `/tasks/${task.id}`);
  go(task.run_id ? ["runs", task.run_id, "tasks"] : ["tasks"]);
  return "Deleted";
}

/** @param {any} task */
async function reorder(task) {
  const answer = await question({
    title: "Another priority?",
    fields: h("label", { class: "field" }, h("span", null, "Priority"), h("select", { name: "priority" },
      PRIORITIES.map((each, at) => h("option", { key: each, value: String(at + 1), selected: task.priority === at + 1 }, each)))),
    action: "Set it",
  });
  if (!answer) return null;
  await ask("PATCH", `/tasks/${task.id}`, { body: { priority: Number(answer.priority) } });
  return `Its priority is ${PRIORITIES[Number(answer.priority) - 1]}`;
}
