// @ts-check
/** How the engine is, as `taskengine doctor` finds it, and what to do where it is not well. */

import { ask, get } from "../api.js";
import { doing } from "../dialog.js";
import { h } from "../dom.js";
import { live } from "../live.js";
import { button, facts, head, panel } from "../parts.js";
import { badge } from "../status.js";
import { capital, number, span } from "../words.js";
import { keys, load as loadKeys } from "./health/keys.js";

/** @typedef {{level: string, about: string, says: string, do: string | null}} Finding */

export const title = () => "Health";

/** Levels, the worst first, and how a finding of each is called. @type {[string, string][]} */
const LEVELS = [["wrong", "wrong"], ["notice", "look at it"], ["ok", "well"]];

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  /** What was found in all records, when somebody last asked. @type {Finding[] | null} */
  let deep = null;
  let isAsking = false;
  const view = live(root, route, {
    every: 5000,
    async load(_, signal) {
      const [health, examination, version, known] = await Promise.all([
        get("/health", {}, signal), get("/examination", {}, signal), ask("GET", "/version", { prefix: "", signal }), loadKeys(signal)]);
      return { known, health, findings: /** @type {Finding[]} */ (examination.items), version };
    },
    draw: ({ health, findings, version, known }, _, again) => [
      head("Health", state([...findings, ...(deep ?? [])]),
        button(isAsking ? "Checking …" : "Check every record", check, { disabled: isAsking })),
      deep ? panel("Every record", list(deep)) : null,
      panel("What was found", list(findings)),
      panel("What there is", facts([
        ["taskengine", version.version],
        ["Store", health.server && `${health.server.software} ${health.server.version}`],
        ["Append-only file", health.server && (health.server.append_only ? "kept" : "not kept")],
        ["Store up for", health.server && span(health.server.uptime_seconds)],
        ["Coordinator", health.coordinator ?? "none leads"],
        ["Workers", health.workers], ["Slots", health.slots], ["Running", health.running_tasks],
        ["Dead letters", health.dead_letters === undefined ? null : h("a", { href: "#/dead-letters" }, health.dead_letters)]])),
      known ? keys(known, again) : null,
      h("p", { class: "quiet" }, "The same from the shell: ", h("code", null, "taskengine doctor"), ", and with every record checked: ",
        h("code", null, "taskengine doctor --deep"), known ? [", ", h("code", null, "taskengine keys")] : null, "."),
    ],
  });

  async function check() {
    isAsking = true;
    view.redraw();
    await doing(async () => {
      const { items } = await get("/examination", { deep: true });
      deep = items.filter((/** @type {Finding} */ each) => each.about === "invariants");
    });
    isAsking = false;
    view.redraw();
  }
  return view;
}

/** How bad it is as a whole. @param {Finding[]} findings */
function state(findings) {
  const [wrong, notice] = LEVELS.map(([level]) => findings.filter((each) => each.level === level).length);
  if (wrong) return badge("wrong", notice ? `${wrong} wrong, ${notice} to look at` : `${wrong} wrong`);
  return notice ? badge("notice", `${number(notice, "thing")} to look at`) : badge("ok", "All is well");
}

/** Findings, the worst first. @param {Finding[]} findings */
const list = (findings) =>
  h("ul", { class: "findings" }, LEVELS.flatMap(([level, says]) => findings.filter((each) => each.level === level).map((each, at) =>
    h("li", { key: `${level} ${each.about} ${at}` },
      badge(level, says),
      h("b", null, capital(each.about)), h("p", null, each.says),
      each.do ? h("p", { class: "do" }, h("span", { class: "quiet" }, "To do: "), each.do) : null))));
