// @ts-check
/** Keys: who may ask this server for what. Only who has one for everything may see, make and revoke them. */

import { ask, get, post } from "../../api.js";
import { doing, given, question, tell } from "../../dialog.js";
import { h } from "../../dom.js";
import { button, panel, table } from "../../parts.js";
import { when } from "../../words.js";

/** What a key may do, each what those before it may. @type {[string, string][]} */
const SCOPES = [["read", "ask"], ["submit", "store work"], ["operate", "steer it"], ["admin", "everything"]];

/** The keys that there are; null for whoever may not see them. @param {AbortSignal} signal @returns {Promise<any[] | null>} */
export async function load(signal) {
  const { scope } = await ask("GET", "/session", { prefix: "", signal });
  return scope === "admin" ? (await get("/keys", {}, signal)).items : null;
}

/** @param {any[]} found @param {() => void} again */
export const keys = (found, again) => panel("Keys",
  found.length ? table("Keys", ["Whose", "May", { text: "Made", class: "extra" }, "Expires", { text: "A minute", class: "number extra" }, "Used", ""],
    found.map((each) => row(each, again))) : h("p", { class: "quiet" }, "There is none."),
  h("p", null, button("New key …", () => void doing(create, again))));

/** @param {any} each @param {() => void} again */
function row(each, again) {
  const isOver = each.expires_at && Date.parse(each.expires_at) < Date.now();
  return h("tr", { key: each.id },
    h("th", { scope: "row" }, each.name, " ", h("code", { class: "quiet" }, each.id)), h("td", null, each.scope),
    h("td", { class: "extra" }, when(each.created_at)), h("td", null, each.expires_at ? [isOver ? "over since " : "", when(each.expires_at), each.is_local && !isOver ? ", renewed" : ""] : "never"),
    h("td", { class: "number extra" }, each.rate || "any"), h("td", null, each.used_at ? when(each.used_at) : "never"),
    h("td", { class: "act" }, button("Revoke …", () => void doing(() => revoke(each), again), { "aria-label": `Revoke ${each.name} ${each.id}` })));
}

async function create() {
  const field = (/** @type {string} */ says, /** @type {any} */ input) => h("label", { class: "field" }, h("span", null, says), input);
  const answer = await question({
    title: "Make a key", text: h("p", null, "What is done with it stands under its name."), action: "Make it",
    fields: [
      field("Whose it is", h("input", { name: "name", required: true, maxlength: "100", autocomplete: "off" })),
      field("What it may do", h("select", { name: "scope" }, SCOPES.map(([scope, says]) => h("option", { key: scope, value: scope }, `${scope}: ${says}`)))),
      field("Until (if it ends)", h("input", { type: "datetime-local", name: "until" })),
    ],
  });
  if (!answer) return null;
  const { name, scope, until } = answer;
  const made = await post("/keys", given({ name, scope, expires_at: until && new Date(until).toISOString() }));
  await tell(`The key of ${made.name}`, [h("p", null, "It is shown only now: nobody can show it again."), h("pre", { class: "code", tabindex: "0" }, made.key)]);
  return `Made a key for ${made.name}`;
}

/** @param {any} key */
async function revoke({ id, name, scope }) {
  const answer = await question({
    title: `Revoke the key of ${name}?`, action: "Revoke it", isDangerous: true,
    text: h("p", null, `From the next request on it lets nobody in, with every session of it (${scope}, ${id}).`),
  });
  if (!answer) return null;
  return (await post("/keys:revoke", { key: id })).result ? `Revoked the key of ${name}` : "It was revoked already";
}
