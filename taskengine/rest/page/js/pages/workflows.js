// @ts-check
/** Workflows that were started, newest first. */

import { h } from "../dom.js";
import { howOften, listed } from "../listing.js";
import { live } from "../live.js";
import { choice, empty, field, filters, head, named, notYet, pager, table } from "../parts.js";
import { badge } from "../status.js";
import { between, capital, span, when } from "../words.js";

export const title = () => "Workflows";

const STATUSES = ["pending", "running", "paused", "completed", "failed", "cancelling", "cancelled"];

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  return live(root, route, {
    every: howOften,
    load: ({ query }, signal) => listed("/workflows", query, signal),
    draw: (page, { query }) => [
      head("Workflows", "Definitions that run: steps, branches, loops, waits and approvals."),
      filters(query, field("name", "Name", query, "whole name"), choice("status", "Status", query, STATUSES), field("created_by", "Started by", query)),
      page.items.length
        ? table("Workflows", ["Workflow", "Status", { text: "Version", class: "number extra" }, { text: "Started by", class: "extra" },
            { text: "Began", class: "extra" }, { text: "Took", class: "number" }], page.items.map(row))
        : page.cursor ? notYet() : Object.keys(query).length ? empty("No workflow meets these filters")
          : empty("No workflow yet", "Start one: ", h("code", null, "taskengine workflow run FILE"), "."),
      pager(page.cursor, query, page.items.length),
    ],
  });
}

/** @param {any} workflow */
const row = (workflow) => h("tr", { key: workflow.id },
  h("th", { scope: "row" }, named(["workflows", workflow.id], workflow.name),
    workflow.error_message || workflow.reason ? h("div", { class: "row-note" }, capital(workflow.error_message || workflow.reason)) : null),
  h("td", null, badge(workflow.status)),
  h("td", { class: "number extra" }, workflow.version ?? "–"),
  h("td", { class: "extra" }, workflow.created_by ?? "–"),
  h("td", { class: "extra" }, when(workflow.created_at)),
  h("td", { class: "number" }, workflow.started_at ? span(between(workflow.started_at, workflow.completed_at)) : "–"));
