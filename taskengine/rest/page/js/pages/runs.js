// @ts-check
/** Runs: what was submitted together, newest first. */

import { get } from "../api.js";
import { h } from "../dom.js";
import { Pace } from "../forecast.js";
import { howOften, listed } from "../listing.js";
import { live } from "../live.js";
import { choice, empty, field, filters, head, notYet, pager, runLink, table } from "../parts.js";
import { badge, bar, overOf } from "../status.js";
import { about, between, number, short, span, when } from "../words.js";

export const title = () => "Runs";

/** @type {Map<string, Pace>} */
const paces = new Map();

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  return live(root, route, {
    every: howOften,
    async load({ query }, signal) {
      const [page, pauses] = await Promise.all([listed("/runs", query, signal), get("/pauses", {}, signal)]);
      const pause = new Map(pauses.items.filter((/** @type {any} */ each) => each.scope === "run").map((/** @type {any} */ each) => [each.name, each]));
      for (const run of page.items) run.pause = pause.get(run.id);
      return page;
    },
    draw: (page, { query }) => [
      head("Runs", "Graphs of tasks that were submitted together, newest first."),
      filters(query, field("name", "Name", query, "whole name"), field("created_by", "Submitted by", query),
        choice("finished", "State", query, [["false", "open"], ["true", "finished"]])),
      page.items.length
        ? table("Runs", ["Run", "State", { text: "Tasks", class: "wide" }, { text: "Done", class: "number" },
            { text: "Submitted by", class: "extra" }, { text: "Began", class: "extra" }, { text: "Took", class: "number roomy" },
            { text: "End", class: "number extra" }], page.items.map(row))
        : page.cursor ? notYet() : nothing(query),
      pager(page.cursor, query, page.items.length),
    ],
  });
}

/** @param {any} run */
function row(run) {
  return h("tr", { key: run.id },
    h("th", { scope: "row" }, runLink(run.id, run.name ?? `Run ${short(run.id)}`)),
    h("td", null, stateOf(run)),
    h("td", { class: "wide" }, bar(run.counts)),
    h("td", { class: "number" }, overOf(run.counts).toLocaleString("en"), h("span", { class: "roomy" }, ` / ${run.total_tasks.toLocaleString("en")}`)),
    h("td", { class: "extra" }, run.created_by ?? "–"),
    h("td", { class: "extra" }, when(run.created_at)),
    h("td", { class: "number roomy" }, span(between(run.created_at, run.finished_at))),
    h("td", { class: "number extra" }, ends(run)));
}

/** What a run comes to in a word: its worst end, or that it goes on. @param {any} run */
export function stateOf(run) {
  const { counts } = run;
  if (!run.finished_at) {
    if (counts.running || counts.retrying) return badge("running");
    if (run.pause || (counts.paused && !counts.ready)) return badge("paused");
    return badge(counts.pending && !counts.ready ? "pending" : "waiting");
  }
  if (!run.total_tasks) return badge("cancelled", "no tasks");
  if (counts.failed) return badge("failed", number(counts.failed, "failed", "failed"));
  return counts.cancelled ? badge("cancelled", number(counts.cancelled, "cancelled", "cancelled")) : badge("completed");
}

/**
 * When a run ended, or about when it will. The list knows no graph, so it tells by the pace alone, and only of what moves:
 * the run's own page knows the longest path that is open, too. @param {any} run
 */
function ends(run) {
  if (run.finished_at) return when(run.finished_at);
  if (run.pause || run.counts.paused) {
    paces.delete(run.id); // somebody is waited for, and nobody knows for how long
    return "";
  }
  const pace = paces.get(run.id) ?? new Pace();
  paces.set(run.id, pace);
  pace.note(overOf(run.counts));
  const left = pace.left(run.open_tasks);
  return left === null ? "" : h("span", { title: "By the pace of the last minute; the run itself tells it by its longest open path, too" }, `in ${about(left)}`);
}

/** @param {Record<string, string>} query */
const nothing = (query) => Object.keys(query).length
  ? empty("No run meets these filters", "A name is compared whole.")
  : empty("No run yet", "A graph of tasks appears here as soon as it is submitted. Try ", h("code", null, "taskengine demo"), ".");
