// @ts-check
/** Steps that wait for a person: approvals with their forms, and signals. */

import { post } from "../../api.js";
import { doing, given } from "../../dialog.js";
import { h } from "../../dom.js";
import { fields, value } from "../../form.js";
import { button } from "../../parts.js";
import { unadvised } from "../../words.js";
import { signal } from "./verbs.js";

/** @param {any} state @param {any} workflow @param {() => void} again */
export function waiting(state, workflow, again) {
  return [...flat([...state.steps, ...state.finally_steps])].filter((each) => each.status === "waiting").map((each) => {
    const definition = defined(workflow, each.path);
    if (each.kind === "approval") return approval(state.id, each, definition, again);
    return definition?.signal ? expected(state.id, each, definition.signal, again) : null;
  }).filter(Boolean);
}

/** @param {any[]} steps @returns {Generator<any>} */
function* flat(steps) {
  for (const each of steps) {
    yield each;
    yield* flat(each.children);
  }
}

/** The definition of a step at a path such as `deploy_all[17]/resize`. @param {any} definition @param {string} path @returns {any} */
function defined(definition, path) {
  let found = definition;
  for (const part of path.split("/")) {
    found = below(found, part.replace(/\[\d+\]$/, ""));
    if (!found) return null;
  }
  return found;
}

/** @param {any} holder @param {string} name @returns {any} */
function below(holder, name) {
  const inner = Object.values(holder).filter(Array.isArray).flat().filter((each) => each && typeof each === "object" && "name" in each);
  return inner.find((each) => each.name === name) ?? inner.map((each) => below(each, name)).find(Boolean);
}

/** @param {string} id @param {any} step @param {any} definition @param {() => void} again */
function approval(id, step, definition, again) {
  const says = (/** @type {any} */ event, /** @type {boolean} */ approved) => {
    const all = Object.fromEntries(/** @type {any} */ (new FormData(event.target)));
    return doing(async () => {
      const form = approved && definition?.form ? value(definition.form, all) : undefined;
      const is = await post(`/workflows/${id}/approvals`, given({ step: step.path, approved, reason: all.reason, form }));
      return is.result ? (approved ? "Approved" : "Rejected") : "Somebody answered before: the first answer stands";
    }, again);
  };
  const onsubmit = (/** @type {any} */ event) => {
    event.preventDefault();
    void says(event, event.submitter?.value !== "no");
  };
  return h("section", { key: step.path, class: "panel asks", "aria-label": `Approval ${step.path}` },
    h("h2", null, `${step.label ?? step.name} waits for a word`),
    h("p", { class: "asked" }, step.why ? unadvised(step.why, id).replace(/^waits for an approval since [^:]*:\d\d:\d\d UTC: /, "") : definition?.prompt),
    h("form", { class: "asked-form", onsubmit },
      definition?.form ? fields(definition.form) : null,
      h("label", { class: "field" }, h("span", null, "Reason (if any)"), h("input", { name: "reason", maxlength: "500", autocomplete: "off" })),
      h("div", { class: "actions" },
        h("button", { type: "submit", class: "main", value: "yes" }, "Approve"),
        h("button", { type: "submit", class: "danger", value: "no", formnovalidate: true }, "Reject"))));
}

/** @param {string} id @param {any} step @param {string} name @param {() => void} again */
const expected = (id, step, name, again) =>
  h("section", { key: step.path, class: "panel asks", "aria-label": `Signal ${step.path}` },
    h("h2", null, `${step.label ?? step.name} waits for a signal`),
    step.why ? h("p", null, unadvised(step.why, id)) : null,
    h("div", null, button(`Send ${name} …`, () => void doing(() => signal((verb, body) => post(`/workflows/${id}/${verb}`, body), name), again))));
