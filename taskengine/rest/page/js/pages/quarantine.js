// @ts-check
/** Messages that no worker could read. */

import { get, post } from "../api.js";
import { doing, question } from "../dialog.js";
import { h } from "../dom.js";
import { live } from "../live.js";
import { button, empty, head, pager, table, tabs } from "../parts.js";
import { number, short, when } from "../words.js";

export const title = () => "Quarantine";

const COUNTED = 1000;

/** The two views of what is set aside. @param {string} here */
export const asides = (here) => tabs("What is set aside", [
  ["Dead letters", "#/dead-letters", here === "dead-letters"], ["Quarantine", "#/quarantine", here === "quarantine"]]);

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  return live(root, route, {
    every: 3000,
    load: ({ query }, signal) => get("/quarantine", { ...query, limit: 50 }, signal),
    draw: (page, { query }, again) => [
      head("Set aside", "What the engine gave up on, until somebody looks."),
      asides("quarantine"),
      page.items.length ? h("div", { class: "toolbar" }, h("p", { class: "quiet" }, "No task depends on these: lost wake-ups are sent anew."),
        h("div", { class: "actions" }, button("Drop all …", () => void doing(all, again), { class: "danger" }))) : null,
      page.items.length
        ? table("Quarantined messages", ["Message", "Why", { text: "Queue", class: "extra" }, { text: "Bytes", class: "number" }, { text: "Came", class: "extra" }, ""],
            page.items.map((/** @type {any} */ each) => row(each, again)))
        : empty("No message in quarantine", "A message that no worker can read would stand here, with its reason."),
      pager(page.cursor, query, page.items.length),
    ],
  });
}

/** @param {any} message @param {() => void} again */
function row(message, again) {
  const drop = () => void doing(async () => `${number((await post("/quarantine:drop", { message_ids: [message.id] })).result, "message")} dropped`, again);
  return h("tr", { key: message.id },
    h("th", { scope: "row", class: "mono slim" }, short(message.id)),
    h("td", null, message.reason, h("details", { class: "trace" }, h("summary", null, "What it says"), h("pre", { class: "code", tabindex: "0" }, printable(message.raw)))),
    h("td", { class: "extra" }, message.queue), h("td", { class: "number" }, message.size.toLocaleString("en")), h("td", { class: "extra" }, when(message.at)),
    h("td", { class: "act" }, button("Drop", drop, { class: "danger", "aria-label": `Drop ${short(message.id)}` })));
}

/** The first bytes as ASCII, others as dots. @param {string} raw base64 */
const printable = (raw) => atob(raw).slice(0, 2000).replace(/[^\x20-\x7e\n]/g, "·");

async function all() {
  const page = await get("/quarantine", { limit: COUNTED });
  if (!page.items.length) return "None is left";
  const count = page.cursor ? `more than ${COUNTED.toLocaleString("en")} messages` : number(page.items.length, "message");
  if (!(await question({ title: `Drop ${count}?`, text: h("p", null, "They are forgotten. No task depends on them."), action: `Drop ${count}`, isDangerous: true }))) return null;
  return `${number((await post("/quarantine:drop", { everything: true })).result, "message")} dropped`;
}
