// @ts-check
/** What a task asks, with the form that answers it. */

import { post } from "../../api.js";
import { doing } from "../../dialog.js";
import { h } from "../../dom.js";
import { fields, value } from "../../form.js";
import { when } from "../../words.js";

/** @param {any} task @param {() => void} again */
export function question(task, again) {
  const { question: asked } = task;
  const answer = (/** @type {any} */ said) => doing(async () => {
    await post(`/tasks/${task.id}/answer`, { value: said(), question_id: asked.id });
    return "Answered: the task goes on";
  }, again);
  const onsubmit = (/** @type {any} */ event) => {
    event.preventDefault();
    const given = Object.fromEntries(/** @type {any} */ (new FormData(event.target)));
    void answer(() => (asked.kind === "form" ? value(asked.answer_schema, given) : given.text));
  };
  return h("section", { class: "panel asks", "aria-label": "Question" },
    h("h2", null, "It asks"), h("p", { class: "asked" }, asked.text),
    asked.kind === "choice"
      ? h("div", { class: "actions", role: "group", "aria-label": asked.text },
          asked.options.map((/** @type {string} */ each) => h("button", { key: each, type: "button", onclick: () => void answer(() => each) }, each)))
      : h("form", { class: "asked-form", onsubmit },
          asked.kind === "form" ? fields(asked.answer_schema) : h("label", { class: "field" }, h("span", null, "Answer"), h("textarea", { name: "text", rows: "3", required: true })),
          h("div", null, h("button", { type: "submit", class: "main" }, "Answer"))),
    h("p", { class: "quiet" }, "Asked ", when(asked.asked_at), ". It holds no slot meanwhile."));
}
