// @ts-check
/** What several pages are made of. */

import { ApiError } from "./api.js";
import { h } from "./dom.js";
import { here, href, refine } from "./route.js";
import { STATUSES } from "./status.js";
import { capital } from "./words.js";

/** @typedef {import("./dom.js").Kid} Kid */

export const loading = () => h("p", { class: "quiet", role: "status" }, "Loading …");

/** What one reads where there is nothing, and what to do. @param {string} says @param {...Kid} more */
export const empty = (says, ...more) => h("div", { class: "empty" }, h("p", { class: "empty-head" }, says),
  more.length ? h("p", null, more) : null);

/** A refusal. @param {unknown} error @param {() => void} again */
export function failure(error, again) {
  const isGone = error instanceof ApiError && error.isGone;
  const says = error instanceof Error ? error.message : String(error);
  const [list] = here().path;
  return h("div", { class: "empty", role: "alert" },
    h("h1", { class: "empty-head" }, isGone ? "It is not here (any more)" : "That did not work"),
    h("p", null, capital(says)),
    isGone ? h("a", { href: href([list]) }, `All ${list}`) : h("button", { type: "button", onclick: again }, "Try again"));
}

/** The head of a page. @param {Kid} title @param {Kid} [under] @param {Kid} [actions] */
export const head = (title, under, actions) =>
  h("header", { class: "head" },
    h("div", { class: "head-text" }, h("h1", { tabindex: "-1" }, title), under ? h("div", { class: "under" }, under) : null),
    actions ? h("div", { class: "actions" }, actions) : null);

/** @param {string} title @param {...Kid} inside */
export const panel = (title, ...inside) =>
  h("section", { class: "panel", "aria-label": title }, h("h2", null, title), inside);

/** Where views lie beside each other. @param {string} label @param {[string, string, boolean][]} tabs text, address, here */
export const tabs = (label, tabs) =>
  h("nav", { class: "tabs", "aria-label": label }, tabs.map(([text, address, isHere]) =>
    h("a", { key: text, href: address, "aria-current": isHere ? "page" : null }, text)));

/**
 * @param {string} label
 * @param {(string | {text: string, class?: string})[]} columns
 * @param {Kid} rows
 */
export const table = (label, columns, rows) =>
  h("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" },
    h("table", null,
      h("thead", null, h("tr", null, columns.map((each) => typeof each === "string"
        ? h("th", { scope: "col" }, each || h("span", { class: "unseen" }, "Actions"))
        : h("th", { scope: "col", class: each.class }, each.text)))),
      h("tbody", null, rows)));

/** Names and values. @param {[string, Kid][]} facts */
export const facts = (facts) =>
  h("dl", { class: "facts" }, facts.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => h("div", { key: name }, h("dt", null, name), h("dd", null, value))));

/** A button; one that says something else is another one, so that none turns into its neighbour under a finger.
 * @param {string} says @param {(event: Event) => void} onclick @param {Record<string, any>} [more] */
export const button = (says, onclick, more) => h("button", { key: says, type: "button", onclick, ...more }, says);

/** JSON as it is. @param {any} value @param {string} label */
export const json = (value, label) =>
  h("pre", { class: "code", tabindex: "0", "aria-label": label }, JSON.stringify(value, null, 2));

/** What one reads where nothing was found so far. */
export const notYet = () => empty("Nothing found yet", "The search went only so far: press “Search on”.");

/** A further page of a list. @param {string | null} cursor @param {Record<string, string>} query @param {number} shown @param {number} [limit] */
export function pager(cursor, query, shown, limit = 50) {
  if (!cursor && !query.cursor) return null;
  const isShort = Boolean(cursor) && shown < limit;
  const further = () => refine({ cursor }, true);
  return h("nav", { class: "pager", "aria-label": "Pages" },
    query.cursor ? button("First page", () => refine({}, true)) : null,
    cursor ? (isShort ? button("Search on", further) : button("Next page", further)) : null,
    isShort ? h("span", { class: "quiet" }, "More may follow: the search went only so far.") : null);
}

let typing = 0;
/** A filter that is typed. @param {string} name @param {string} says @param {Record<string, string>} query @param {string} [hint] */
export const field = (name, says, query, hint) =>
  h("label", { key: name, class: "field" }, h("span", null, says),
    h("input", {
      type: "search", name, value: query[name] ?? "", placeholder: hint ?? "any", autocomplete: "off", spellcheck: "false",
      oninput: (/** @type {any} */ event) => {
        clearTimeout(typing);
        const { value } = event.target;
        typing = setTimeout(() => refine({ [name]: value.trim() || null }), 300);
      },
    }));

/** A filter that is chosen. @param {string} name @param {string} says @param {Record<string, string>} query @param {(string | [string, string])[]} options */
export const choice = (name, says, query, options) =>
  h("label", { key: name, class: "field" }, h("span", null, says),
    h("select", { name, onchange: (/** @type {any} */ event) => refine({ [name]: event.target.value || null }) },
      [["", "any"], ...options].map((each) => {
        const [value, text] = typeof each === "string" ? [each, each] : each;
        return h("option", { key: value, value, selected: (query[name] ?? "") === value }, text);
      })));

/** @param {Record<string, string>} query */
export const statusChoice = (query) => choice("status", "Status", query, [...STATUSES].reverse());

/** @param {Record<string, string>} query @param {...Kid} fields */
export function filters(query, ...fields) {
  const isSet = Object.keys(query).some((name) => name !== "cursor");
  return h("form", { class: "filters", role: "search", onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
    fields, isSet ? button("Clear", () => refine(Object.fromEntries(Object.keys(query).map((name) => [name, null])))) : null);
}

/** A link by a name, which a list may cut: its tooltip has all of it. @param {string[]} path @param {string} name */
export const named = (path, name) => h("a", { href: href(path), title: name.length > 30 ? name : null }, name);
/** @param {string} id @param {string} [says] */
export const taskLink = (id, says = id.slice(0, 8)) => named(["tasks", id], says);
/** @param {string} id @param {string} [says] */
export const runLink = (id, says = id.slice(0, 8)) => named(["runs", id], says);

/** An id that is copied by a click. @param {string} id */
export const whole = (id) =>
  h("button", {
    type: "button", class: "id", title: "Copy the id", "aria-label": `Copy the id ${id}`,
    onclick: (/** @type {any} */ event) => {
      void navigator.clipboard?.writeText(id);
      event.currentTarget.dataset.copied = "yes";
    },
  }, id);
