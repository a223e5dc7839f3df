// @ts-check
/** Agents by name: what each may do, what it is doing, and what may be said to it. */

import { post } from "../../api.js";
import { doing, given, question, reasonField } from "../../dialog.js";
import { h } from "../../dom.js";
import { button, table } from "../../parts.js";
import { href } from "../../route.js";
import { badge } from "../../status.js";
import { capital } from "../../words.js";

/** @param {any[]} known @param {() => void} again */
export const agents = (known, again) => table("Agents",
  ["Agent", "Status", { text: "Running", class: "number roomy" }, { text: "Queues", class: "extra" }, { text: "Limits", class: "extra" }, ""],
  known.map((each) => row(each, again)));

/** @param {any} agent @param {() => void} again */
function row(agent, again) {
  const { record } = agent;
  const name = record.id;
  const act = (/** @type {() => Promise<any>} */ deed) => () => void doing(deed, again);
  const isStopped = ["paused", "draining"].includes(agent.status);
  return h("tr", { key: name },
    h("th", { scope: "row" }, h("a", { href: href(["tasks"], { assigned_to: name }) }, name), h("span", { class: "kind" }, record.type),
      h("div", { class: "row-note" }, agent.reason && capital(agent.reason))),
    h("td", null, badge(agent.status)),
    h("td", { class: "number roomy" }, `${agent.running} of ${record.max_concurrency ?? agent.slots}`),
    h("td", { class: "extra" }, h("span", { class: "tags" }, record.capabilities.map((/** @type {string} */ each) => h("span", { key: each, class: "kind" }, each)))),
    h("td", { class: "extra" }, record.limits.join(", ") || "–"),
    h("td", { class: "act" }, isStopped
      ? button("Resume", act(async () => ((await post(`/agents/${name}/resume`)).result ? `${name} takes work again` : "It was not stopped")), { "aria-label": `Resume ${name}` })
      : [button("Pause …", act(() => stop("pause", name)), { "aria-label": `Pause ${name}` }), " ",
         button("Drain …", act(() => stop("drain", name)), { "aria-label": `Drain ${name}` })]));
}

/** @param {"pause" | "drain"} verb @param {string} name */
async function stop(verb, name) {
  const text = verb === "pause" ? "Nothing of it starts any more, its timers stand; what runs goes on." : "It takes nothing new on any worker; what runs goes on.";
  const answer = await question({ title: `${verb === "pause" ? "Pause" : "Drain"} ${name}?`, text: h("p", null, text), fields: reasonField(), action: verb === "pause" ? "Pause it" : "Drain it" });
  if (!answer) return null;
  const made = await post(`/agents/${name}/${verb}`, given(answer));
  return made.running ? `${name}: ${made.running} still running` : `${name} has come to rest`;
}
