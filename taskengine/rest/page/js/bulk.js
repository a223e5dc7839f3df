// @ts-check
/** Verbs for many tasks: counted first, then asked, then done. */

import { post } from "./api.js";
import { given, question, reasonField, tell } from "./dialog.js";
import { h } from "./dom.js";
import { capital, number } from "./words.js";

/** Verb -> the same in the past, whether it takes a reason, whether it cannot be taken back.
 * @type {Record<string, {done: string, hasReason?: boolean, isDangerous?: boolean}>} */
const VERBS = {
  cancel: { done: "cancelled", hasReason: true, isDangerous: true },
  retry: { done: "opened again" },
  pause: { done: "paused", hasReason: true },
  resume: { done: "resumed" },
  hold: { done: "held" },
  release: { done: "released" },
  delete: { done: "deleted", isDangerous: true },
};
/** Why some are left as they are. @type {Record<string, string>} */
const LEFT = {
  part: "part of a workflow, which is retried as a whole",
  step: "a step of a workflow",
  blocked: "closed by a dependency, with which they open",
  waited: "waited for by something open",
};

/**
 * Do a verb to all tasks that meet *filter*; a sentence about it, or null when it was not done.
 * @param {string} verb @param {Record<string, any>} filter @returns {Promise<string | null>}
 */
export async function many(verb, filter) {
  const { done, hasReason, isDangerous } = VERBS[verb];
  const where = { ...filter, everything: Object.keys(filter).length === 0 };
  const would = await post(`/tasks:${verb}`, { ...where, dry_run: true });
  if (!would.done) {
    await tell(`Nothing to ${verb}`, [h("p", null, `${number(would.matched, "task meets", "tasks meet")} the filters.`), left(would)]);
    return null;
  }
  const answer = await question({
    title: `${capital(verb)} ${number(would.done, "task")}?`,
    text: [would.matched > would.done ? h("p", null, `${number(would.matched, "task meets", "tasks meet")} the filters.`) : null, left(would)],
    fields: hasReason ? reasonField() : null,
    action: `${capital(verb)} ${number(would.done, "task")}`,
    isDangerous,
  });
  if (!answer) return null;
  const came = await post(`/tasks:${verb}`, { ...where, ...given(answer) });
  return `${number(came.done, "task")} ${done}`;
}

/** @param {any} result */
function left(result) {
  const skipped = Object.entries(result.skipped);
  return skipped.length
    ? h("ul", { class: "left" }, skipped.map(([why, count]) => h("li", { key: why }, `${count} left as ${count === 1 ? "it is" : "they are"}: ${LEFT[why] ?? why}`)))
    : null;
}
