// @ts-check
/**
 * Who works: workers with their slots, agents, limits, machines.
 *
 * Workers come with the stream of the fleet. The rest is asked for every few seconds: what runs in which slot is known to
 * two more verbs, agents and limits may be hundreds, and all of that once a second would cost whoever looks at any page
 * of the fleet.
 */

import { get, post } from "../api.js";
import { h } from "../dom.js";
import { live } from "../live.js";
import { empty, head, panel, table } from "../parts.js";
import { capital, number } from "../words.js";
import { agents } from "./workers/agents.js";
import { cards } from "./workers/cards.js";

export const title = () => "Workers";

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  return live(root, route, {
    every: 3000,
    stream: "/fleet/live",
    fold: (said, data) => ({ ...data, workers: said.workers }),
    async load(_, signal) {
      const asked = ["/workers", "/agents", "/limits", "/hosts"].map((path) => get(path, {}, signal).then((page) => page.items));
      const [workers, known, limits, hosts] = await Promise.all(asked);
      return { workers, known, limits, hosts, running: await busy(signal) };
    },
    draw: ({ workers, known, limits, hosts, running }, _, again) => {
      const slots = workers.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.slots, 0);
      const used = workers.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.busy, 0);
      return [
        head("Workers and agents", workers.length ? `${number(workers.length, "worker")}, ${used} of ${number(slots, "slot")} busy` : "Who works, on what, and how much."),
        workers.length ? cards(workers, running) : empty("No worker is alive", "Start one: ", h("code", null, "taskengine worker --import MODULE"), "."),
        panel("Agents", known.length ? agents(known, again) : h("p", { class: "quiet" }, "No agent is known yet.")),
        limits.length ? panel("Limits", table("Limits", ["Limit", "State", { text: "In flight", class: "number" }, { text: "A minute", class: "extra" }, { text: "Tokens today", class: "number roomy" }, { text: "Agents", class: "number extra" }], limits.map(limit))) : null,
        hosts.length ? panel("Machines", table("Machines", ["Machine", { text: "Workers", class: "number roomy" }, "Reserved", { text: "Kept free for", class: "roomy" }], hosts.map(host))) : null,
      ];
    },
  });
}

/** What runs, by worker: the latest 200. @param {AbortSignal} signal @returns {Promise<Map<string, any[]>>} */
async function busy(signal) {
  const { items } = await get("/tasks", { status: "running", limit: 200 }, signal);
  /** @type {Map<string, any[]>} */ const found = new Map();
  if (!items.length) return found;
  const executions = (await post("/tasks:executions", { task_ids: items.map((/** @type {any} */ task) => task.id) })).items;
  executions.forEach((/** @type {any} */ each, /** @type {number} */ at) => {
    if (each?.node && each.status === "running") found.set(each.node, [...(found.get(each.node) ?? []), { ...each, name: items[at].name }]);
  });
  return found;
}

/** @param {any} each */
function limit({ limit: bound, in_flight: now, tokens_today: tokens, agents: sharers, reason }) {
  const rates = [["requests", bound.requests_per_minute], ["tokens in", bound.input_tokens_per_minute], ["tokens out", bound.output_tokens_per_minute]]
    .filter(([, most]) => most !== null).map(([name, most]) => `${most.toLocaleString("en")} ${name}`).join(", ");
  return h("tr", { key: bound.name },
    h("th", { scope: "row" }, bound.name), h("td", null, reason || "has room"),
    h("td", { class: "number" }, bound.in_flight === null ? now : `${now} of ${bound.in_flight}`), h("td", { class: "extra" }, rates || "–"),
    h("td", { class: "number roomy" }, tokens.toLocaleString("en"), bound.tokens_per_day === null ? "" : ` of ${bound.tokens_per_day.toLocaleString("en")}`),
    h("td", { class: "number extra" }, sharers));
}

/** @param {any} each */
function host({ name, total, reserved, workers, kept_for: kept }) {
  const shares = Object.keys(total).map((each) => h("li", { key: each }, h("span", null, resource(each)),
    h("progress", { max: total[each] || 1, value: reserved[each] ?? 0, "aria-label": `${resource(each)} reserved` }),
    h("span", { class: "quiet" }, `${round(reserved[each] ?? 0)} of ${round(total[each])}${each.endsWith("_gb") ? " GB" : ""}`)));
  return h("tr", { key: name }, h("th", { scope: "row" }, name), h("td", { class: "number roomy" }, workers), h("td", null, h("ul", { class: "shares" }, shares)), h("td", { class: "roomy" }, kept ?? "–"));
}

/** What a machine has, in words; its unit stands with the number. @param {string} name */
const resource = (name) => capital(name.replace(/_gb$/, "").replace(/_/g, " ").replace(/^cpu/, "CPU"));
/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
