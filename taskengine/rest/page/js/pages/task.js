// @ts-check
/** One task: where it stands and why, what it did, and what may be done to it. */

import { get, post } from "../api.js";
import { element, h } from "../dom.js";
import { live } from "../live.js";
import { logs } from "../log.js";
import { facts, head, json, panel, runLink, table, whole } from "../parts.js";
import { href } from "../route.js";
import { sentence } from "../sentences.js";
import { badge, OVER } from "../status.js";
import { between, capital, full, moment, short, span, unadvised, when } from "../words.js";
import { edges } from "./task/edges.js";
import { question } from "./task/question.js";
import { actions } from "./task/verbs.js";

export const title = (/** @type {any} */ route) => `Task ${short(route.path[1])}`;

const PRIORITIES = ["", "low", "normal", "high", "urgent", "critical"];

/** @param {HTMLElement} root @param {import("../route.js").Route} route */
export function mount(root, route) {
  const id = route.path[1];
  const box = element("div", { class: "log-box" });
  const down = edges(id, () => view.redraw());
  /** @type {any} */ let log = null;
  let attempt = "";
  let query = route.query;
  /** Attempts that the log knows of. */
  let known = Infinity;

  const listen = (/** @type {string} */ wanted) => {
    if (log && wanted === attempt) return log.update(query);
    log?.close();
    box.replaceChildren();
    attempt = wanted;
    log = logs(box, id, attempt, query);
  };
  const view = live(root, route, {
    every: (/** @type {any} */ { task }) => (OVER.has(task.status) ? 5000 : 1500),
    async load(now, signal) {
      const ask = (/** @type {string} */ what) => get(`/tasks/${id}${what}`, {}, signal);
      const [task, why, executions, events] = await Promise.all([ask(""), ask("/why"), ask("/executions"), ask("/events")]);
      const before = task.depends_on.length ? (await post("/tasks:read", { task_ids: task.depends_on.slice(0, 100) }).catch(() => ({ items: [] }))).items : [];
      const left = task.attempt ? (await get(`/tasks/${id}/artifacts`, {}, signal)).items : [];
      return { task, why, executions: executions.items, events: events.items, before, left };
    },
    draw(found, now, again) {
      query = now.query;
      document.title = `${found.task.name} · taskengine`;
      // The log of a task that was over has ended; whatever opened it again, it goes on.
      if (!attempt && (found.task.attempt > known || !OVER.has(found.task.status))) log?.resume();
      known = found.task.attempt;
      return page(found, now.query, box, down, again);
    },
  });
  listen(route.query.attempt ?? "");
  return {
    close() {
      view.close();
      log?.close();
    },
    /** @param {import("../route.js").Route} changed */
    update(changed) {
      query = changed.query;
      listen(query.attempt ?? "");
      view.update(changed);
    },
  };
}

/** @param {any} found @param {Record<string, string>} query @param {HTMLElement} box @param {any} down @param {() => void} again */
function page({ task, why, executions, events, before, left }, query, box, down, again) {
  const running = executions.find((/** @type {any} */ each) => each.status === "running");
  return [
    head(task.name, [badge(task.status, task.question ? "asks a person" : undefined), whole(task.id),
      task.run_id ? h("span", null, "in ", runLink(task.run_id, `run ${short(task.run_id)}`)) : null], actions(task, again)),
    task.question ? question(task, again) : null,
    h("div", { class: "split" },
      h("div", { class: "main-column" },
        panel("Why it is where it is", reasons(why), running ? progress(running) : null),
        panel("Attempts", executions.length ? attempts(executions, query) : h("p", { class: "quiet" }, OVER.has(task.status) ? "None." : "None began yet.")),
        panel(query.attempt ? `Log of attempt ${query.attempt}` : "Log", h("div", { hold: true, ref: (/** @type {Node} */ at) => at.appendChild(box) })),
        panel("Result", task.result ? json(task.result, "Result") : h("p", { class: "quiet" }, OVER.has(task.status) ? "None." : "None yet."), artifacts(task, left)),
        panel("Input", Object.keys(task.input).length ? json(task.input, "Input") : h("p", { class: "quiet" }, "None."))),
      h("div", { class: "side-column" },
        panel("What it is", facts(about(task))),
        panel("Edges", down.draw(task, before)),
        panel("History", h("ol", { class: "history" }, [...events].reverse().map((event) =>
          h("li", { key: event.sequence }, h("time", { datetime: event.at, title: full(event.at) }, moment(event.at)), h("span", null, sentence(event)))))))),
  ];
}

/** @param {any} why */
function reasons(why) {
  const plain = why.facts.filter((/** @type {any} */ fact) => fact.kind !== "traceback");
  const trace = why.facts.find((/** @type {any} */ fact) => fact.kind === "traceback");
  return [
    plain.length ? h("ul", { class: "reasons" }, plain.map((/** @type {any} */ fact) => h("li", { key: fact.kind + fact.text }, capital(unadvised(fact.text, why.task_id))))) : h("p", null, why.headline),
    trace ? h("details", { class: "trace" }, h("summary", null, "Traceback"), h("pre", { class: "code", tabindex: "0" }, trace.details.traceback ?? trace.text)) : null,
  ];
}

/** @param {any} execution */
function progress({ progress: share, progress_note: note, started_at: began }) {
  const says = `${Math.round((share ?? 0) * 100)} %`;
  return h("div", { class: "progress" },
    share === null ? null : h("progress", { max: "1", value: share, "aria-label": "Progress of the attempt" }),
    h("span", { class: "quiet" }, [share === null ? "" : says, note, `running for ${span(between(began))}`].filter(Boolean).join(" · ")));
}

/** @param {any[]} executions @param {Record<string, string>} query */
function attempts(executions, query) {
  const row = (/** @type {any} */ each) => h("tr", { key: each.id, class: query.attempt === String(each.attempt) ? "chosen" : "" },
    h("th", { scope: "row", class: "slim" }, h("a", {
      href: href(["tasks", each.task_id], { ...query, attempt: query.attempt === String(each.attempt) ? null : each.attempt }),
      "aria-current": query.attempt === String(each.attempt) ? "true" : null, "aria-label": `Log of attempt ${each.attempt}`,
    }, `#${each.attempt}`)),
    h("td", null, hasAsked(each) ? badge("paused", "asked") : badge(each.status, each.is_detached ? "at a service" : undefined)),
    h("td", null, each.executor_id ?? "–", each.error_message ? h("div", { class: "row-note" }, each.error_kind && !hasAsked(each) ? `${each.error_kind}: ` : "", each.error_message) : null),
    h("td", { class: "extra" }, (each.node ?? "–").replace(/#.*/, ""), each.pid ? ` (pid ${each.pid})` : ""),
    h("td", { class: "extra roomy" }, when(each.started_at)),
    h("td", { class: "number" }, each.started_at ? span(between(each.started_at, each.completed_at)) : "–"),
    h("td", { class: "number extra roomy" }, used(each.resource_usage)));
  return table("Attempts", [{ text: "Attempt", class: "slim" }, "Status", "Agent", { text: "Worker", class: "extra" }, { text: "Began", class: "extra roomy" },
    { text: "Took", class: "number" }, { text: "Used", class: "number extra roomy" }], [...executions].reverse().map(row));
}

/** An attempt that ended with a question goes on with the answer: nobody cancelled it. @param {any} execution */
const hasAsked = ({ status, error_kind: kind }) => status === "cancelled" && kind === "asked";

/** @param {any} usage */
const used = ({ cpu_percent: cpu, memory_mb: memory }) =>
  [cpu === null ? "" : `${Math.round(cpu)} % CPU`, memory === null ? "" : `${Math.round(memory)} MiB`].filter(Boolean).join(" · ") || "–";

/** @param {any} task @param {any[]} left */
function artifacts(task, left) {
  if (!left.length) return null;
  return [h("h3", null, "Artifacts"), h("ul", { class: "plain" }, left.map((each) => h("li", { key: `${each.execution_id}${each.name}` },
    h("a", { href: `/api/v1/tasks/${task.id}/artifacts/${encodeURIComponent(each.name)}`, download: each.name }, each.name),
    h("span", { class: "quiet" }, ` ${each.kind ?? ""} ${each.size === undefined ? "" : `${each.size} bytes`}`))))];
}

/** When its latest attempt began; nothing where that was before it waited anew. @param {any} task */
const began = ({ started_at: start, ready_at: ready }) => (start && !(Date.parse(ready ?? start) > Date.parse(start)) ? when(start) : null);

/** @param {any} task @returns {[string, any][]} */
function about(task) {
  return [
    ["Queue", task.capability], ["Pinned to", task.assigned_to], ["Priority", PRIORITIES[task.priority]], ["Submitted by", task.created_by],
    ["Submitted", when(task.created_at)], ["Ready", task.ready_at && when(task.ready_at)], ["Began", began(task)],
    ["Ended", task.completed_at && when(task.completed_at)], ["Next attempt", task.next_attempt_at && when(task.next_attempt_at)],
    ["Scheduled", task.scheduled_at && when(task.scheduled_at)], ["Deadline", task.deadline && when(task.deadline)], ["Expires", task.expires_at && when(task.expires_at)],
    ["Retries", `${task.retry_count} of ${task.max_retries}`], ["Lost workers", task.lost_count || null],
    ["Timeout", task.timeout && span(task.timeout)], ["Trigger rule", task.trigger_rule === "all_success" ? null : task.trigger_rule.replace(/_/g, " ")],
    ["Idempotency key", task.idempotency_key], ["Description", task.description],
    ["Metadata", Object.keys(task.metadata).length ? h("code", null, JSON.stringify(task.metadata)) : null],
  ];
}
