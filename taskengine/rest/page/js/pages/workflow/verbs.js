// @ts-check
/** What may be said to a workflow as a whole. */

import { post } from "../../api.js";
import { doing, given, question, reasonField } from "../../dialog.js";
import { h } from "../../dom.js";
import { json } from "../../form.js";
import { button } from "../../parts.js";

const OVER = new Set(["completed", "failed", "cancelled"]);

/** @param {any} state @param {() => void} again */
export function actions(state, again) {
  const act = (/** @type {() => Promise<any>} */ deed) => () => void doing(deed, again);
  const to = (/** @type {string} */ verb, body = {}) => post(`/workflows/${state.id}/${verb}`, body);
  if (OVER.has(state.status)) {
    return state.status === "completed" ? null : button("Retry", act(async () => (await to("retry"), "Opened again: failed steps run anew")));
  }
  return [
    state.status === "paused"
      ? button("Resume", act(async () => (await to("resume"), "The workflow goes on")))
      : button("Pause …", act(() => asked("Pause this workflow?", "Nothing of it starts any more; what runs goes on.", "Pause it", (answer) => to("pause", answer), "Paused"))),
    button("Signal …", act(() => signal(to))),
    state.status === "cancelling" ? null : button("Cancel …", act(() => asked("Cancel this workflow?", "Steps that have not started never do; running tasks are asked to stop.",
      "Cancel it", (answer) => to("cancel", answer), "It is being cancelled", true)), { class: "danger" }),
  ];
}

/** @param {string} title @param {string} text @param {string} action @param {(answer: any) => Promise<any>} deed @param {string} says */
async function asked(title, text, action, deed, says, isDangerous = false) {
  const answer = await question({ title, text: h("p", null, text), fields: reasonField(), action, isDangerous });
  if (!answer) return null;
  await deed(given(answer));
  return says;
}

/** Ask for a signal and send it. @param {(verb: string, body?: any) => Promise<any>} to @param {string} [name] the one that a step waits for */
export async function signal(to, name = "") {
  const answer = await question({
    title: name ? `Send the signal ${name}?` : "Send a signal",
    fields: [
      h("label", { class: "field" }, h("span", null, "Name"), h("input", { name: "name", value: name, required: true, maxlength: "200", autocomplete: "off" })),
      h("label", { class: "field" }, h("span", null, "Payload (JSON, if any)"), h("textarea", { name: "payload", rows: "3", class: "mono" })),
    ],
    action: "Send it",
  });
  if (!answer) return null;
  const payload = answer.payload.trim() ? json(answer.payload, "payload") : null;
  await to("signals", { name: answer.name, payload });
  return `Sent ${answer.name}`;
}
