// @ts-check
/** How the engine is, and what to do where it is not well. */

import { ask, get } from "../api.js";
import { h } from "../dom.js";
import { live } from "../live.js";
import { facts, head, panel } from "../parts.js";
import { badge } from "../status.js";
import { number, span } from "../words.js";

export const title = () => "Health";

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  return live(root, route, {
    every: 3000,
    async load(_, signal) {
      const [health, version] = await Promise.all([get("/health", {}, signal), ask("GET", "/version", { prefix: "", signal })]);
      return { health, version };
    },
    draw: ({ health, version }) => [
      head("Health", badge(health.status)),
      health.problems.length
        ? panel(number(health.problems.length, "problem"), h("ul", { class: "problems" }, health.problems.map((/** @type {string} */ each) => h("li", { key: each }, each))))
        : panel("No problem", h("p", null, "The store answers and keeps a log, a coordinator leads, workers are alive, and every queue that has tasks is served.")),
      panel("What there is", facts([
        ["taskengine", version.version],
        ["Store", health.server && `${health.server.software} ${health.server.version}`],
        ["Append-only file", health.server && (health.server.append_only ? "kept" : "not kept")],
        ["Store up for", health.server && span(health.server.uptime_seconds)],
        ["Coordinator", health.coordinator ?? "none leads"],
        ["Workers", health.workers], ["Slots", health.slots], ["Running", health.running_tasks],
        ["Dead letters", health.dead_letters === undefined ? null : h("a", { href: "#/dead-letters" }, health.dead_letters)]])),
      health.pauses?.length ? panel("Pauses", h("ul", { class: "plain" }, health.pauses.map((/** @type {string} */ each) => h("li", { key: each }, each)))) : null,
      h("p", { class: "quiet" }, "The same from the shell, with every record looked at: ", h("code", null, "taskengine doctor --deep"), "."),
    ],
  });
}
