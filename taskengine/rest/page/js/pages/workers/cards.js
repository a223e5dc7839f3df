// @ts-check
/** Workers, each with a cell for every slot and the task in it. */

import { h } from "../../dom.js";
import { taskLink } from "../../parts.js";
import { badge } from "../../status.js";
import { between, number, span } from "../../words.js";

/** Cells that are drawn; beyond them numbers do. */
const MOST = 128;

/** @param {any[]} workers @param {Map<string, any[]>} running */
export const cards = (workers, running) =>
  h("div", { class: "cards" }, workers.map((each) => card(each, running.get(each.name) ?? [])));

/** @param {any} worker @param {any[]} runs */
function card(worker, runs) {
  const { info } = worker;
  const state = !worker.alive ? "offline" : worker.draining ? "draining" : worker.busy ? "busy" : "online";
  const told = [info.pool, info.host, info.pid && `pid ${info.pid}`, info.cpu_percent !== undefined && `${Math.round(info.cpu_percent)} % CPU`,
    info.memory_percent !== undefined && `${Math.round(info.memory_percent)} % memory`];
  const cells = Array.from({ length: Math.min(worker.slots, MOST) }, (_, at) => cell(runs[at], at < worker.busy));
  return h("section", { key: worker.name, class: "panel card", "aria-label": `Worker ${worker.name}` },
    h("div", { class: "card-head" }, h("h2", null, worker.name.replace(/#.*/, "")), badge(state, state === "online" ? "idle" : state)),
    h("p", { class: "quiet" }, told.filter(Boolean).join(" · ")),
    worker.draining ? h("p", null, `Drains: ${worker.draining}`) : null,
    info.stuck ? h("p", { class: "bad-text" }, `${info.stuck} stuck`) : null,
    h("div", { class: "cells", role: "img", "aria-label": `${worker.busy} of ${worker.slots} slots busy` }, cells),
    runs.length ? h("ul", { class: "plain" }, runs.slice(0, 8).map(run)) : null,
    runs.length > 8 ? h("p", { class: "quiet" }, `and ${runs.length - 8} more`) : null,
    h("details", null, h("summary", null, `Serves ${number(worker.capabilities.length, "queue")}`),
      h("p", { class: "tags" }, worker.capabilities.map((/** @type {string} */ each) => h("span", { key: each, class: "kind" }, each)))));
}

/** @param {any} execution @param {boolean} isBusy */
function cell(execution, isBusy) {
  if (!execution) return h("span", { class: isBusy ? "cell busy" : "cell", title: isBusy ? "busy" : "free" });
  const share = execution.progress;
  return h("span", { class: "cell busy", title: execution.name },
    share === null ? null : h("span", { class: "fill", style: { width: `${Math.round(share * 100)}%` } }));
}

/** @param {any} execution */
const run = (execution) => h("li", { key: execution.id, class: "running-line" },
  taskLink(execution.task_id, execution.name), h("span", { class: "quiet" }, `${execution.executor_id ?? ""} · ${span(between(execution.started_at))}`));
