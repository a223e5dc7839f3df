// @ts-check
/** Queues: what waits in each and who serves it; and every pause that holds. */

import { get, post } from "../api.js";
import { doing, given, question, reasonField } from "../dialog.js";
import { h } from "../dom.js";
import { live } from "../live.js";
import { button, empty, head, panel, runLink, table, taskLink } from "../parts.js";
import { href } from "../route.js";
import { badge, STATUSES, tally } from "../status.js";
import { number, short, when } from "../words.js";

export const title = () => "Queues";

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  return live(root, route, {
    every: 0,
    stream: "/fleet/live",
    fold: (said) => ({ counts: counted(said), pauses: said.pauses }),
    async load(_, signal) {
      const [counts, pauses] = await Promise.all([get("/queues", {}, signal), get("/pauses", {}, signal)]);
      return { counts, pauses: pauses.items };
    },
    draw: ({ counts, pauses }, _, again) => [
      head("Queues", counts.total_tasks ? `${number(counts.open_tasks, "open task")} of ${counts.total_tasks.toLocaleString("en")}` : "What waits where, and who serves it.",
        pauses.some((/** @type {any} */ each) => each.scope === "everything") ? null
          : button("Pause everything …", () => void doing(() => pause({ everything: true }, "everything"), again), { class: "danger" })),
      counts.total_tasks ? h("div", { class: "panel" }, tally(Object.fromEntries(STATUSES.map((each) => [each, counts[`${each}_tasks`]])), (status) => href(["tasks"], { status }))) : null,
      pauses.length ? panel("Pauses", table("Pauses", ["What", "State", { text: "By", class: "extra" }, { text: "Since", class: "extra" },
        { text: "Until", class: "extra" }, ""], pauses.map((/** @type {any} */ each) => held(each, again)))) : null,
      h("section", { "aria-label": "Queues" }, Object.keys(counts.queues).length
        ? table("Queues", ["Queue", { text: "Ready", class: "number" }, { text: "Granted", class: "number extra" }, { text: "Running", class: "number roomy" }, { text: "Workers", class: "number roomy" }, "State", ""],
            Object.entries(counts.queues).map(([name, each]) => queue(name, each, pauses, again)))
        : empty("Nothing waits or runs", "A queue appears as long as something in it is ready or runs.")),
      pauses.length ? null : h("p", { class: "quiet" }, "Nothing is paused."),
      Object.keys(counts.parked).length ? panel("Parked", h("ul", { class: "plain" }, Object.entries(counts.parked).map(([scope, count]) =>
        h("li", { key: scope }, `${number(/** @type {number} */ (count), "ready task")} because of ${scope}`)))) : null,
    ],
  });
}

/** What the stream tells of the fleet, as `/queues` answers. @param {any} said */
const counted = (said) => ({
  ...said,
  ...Object.fromEntries(Object.entries(said.counts).map(([status, count]) => [`${status}_tasks`, count])),
  queues: Object.fromEntries(said.queues.map((/** @type {any} */ each) => [each.name, each])),
});

/** @param {string} name @param {any} counts @param {any[]} pauses @param {() => void} again */
function queue(name, { ready, granted, running, workers, paused }, pauses, again) {
  const scope = name.startsWith("@") ? { agent_id: name.slice(1) } : { capability: name };
  const own = pauses.find((each) => each.name === (name.startsWith("@") ? name.slice(1) : name) && ["capability", "agent"].includes(each.scope));
  const [state, says] = paused ? ["paused", "paused"] : workers ? ["online", "served"] : ready ? ["failed", "no worker"] : ["cancelled", "no worker"];
  return h("tr", { key: name },
    h("th", { scope: "row" }, h("a", { href: href(["tasks"], name.startsWith("@") ? { assigned_to: name.slice(1) } : { capability: name }) }, name)),
    h("td", { class: "number" }, ready.toLocaleString("en")), h("td", { class: "number extra" }, granted), h("td", { class: "number roomy" }, running.toLocaleString("en")),
    h("td", { class: "number roomy" }, workers),
    h("td", null, badge(state, says)),
    h("td", { class: "act" }, own
      ? button("Resume", () => void doing(() => resume(scope), again), { "aria-label": `Resume ${name}` })
      : button("Pause …", () => void doing(() => pause(scope, name), again), { "aria-label": `Pause ${name}` })));
}

/** @param {any} each @param {() => void} again */
function held(each, again) {
  const argument = { everything: { everything: true }, capability: { capability: each.name }, agent: { agent_id: each.name }, run: { run_id: each.name } };
  const what = each.scope === "run" ? ["run ", runLink(each.name, short(each.name))] : each.scope === "task" ? ["task ", taskLink(each.name)]
    : each.name ? `${each.scope === "capability" ? "queue" : each.scope} ${each.name}` : "everything";
  const end = each.scope === "task" ? () => post(`/tasks/${each.name}/resume`).then(() => "Resumed") : () => resume(argument[/** @type {"run"} */ (each.scope)]);
  return h("tr", { key: each.scope + each.name },
    h("th", { scope: "row" }, h("span", null, what), each.reason ? h("div", { class: "row-note" }, each.reason) : null), h("td", null, badge("paused", each.state), each.running ? ` ${each.running} running` : ""),
    h("td", { class: "extra" }, each.by), h("td", { class: "extra" }, when(each.since)),
    h("td", { class: "extra" }, each.until ? when(each.until) : "it is resumed"),
    h("td", { class: "act" }, button("Resume", () => void doing(end, again), { "aria-label": `Resume ${each.name ?? "everything"}` })));
}

/** @param {any} scope @param {string} name */
async function pause(scope, name) {
  const answer = await question({
    title: `Pause ${name}?`, text: h("p", null, "Nothing of it starts any more; what runs goes on and counts."),
    fields: [reasonField(), untilField()], action: "Pause it", isDangerous: scope.everything,
  });
  if (!answer) return null;
  const until = answer.until ? new Date(answer.until).toISOString() : undefined;
  const made = await post("/pauses", given({ ...scope, reason: answer.reason, until }));
  return made.running ? `Paused ${name}; ${number(made.running, "task")} still running` : `Paused ${name}`;
}

const untilField = () => h("label", { class: "field" }, h("span", null, "Until (if it ends by itself)"), h("input", { type: "datetime-local", name: "until" }));

/** @param {any} scope */
const resume = async (scope) => ((await post("/pauses:end", scope)).result ? "Resumed" : "It was not paused");
