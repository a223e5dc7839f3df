// @ts-check
/** Lines of an attempt, live: the next ones are asked for where the last answer ended, so none is missed or twice. */

import { ApiError, get } from "./api.js";
import { h, render } from "./dom.js";
import { field, choice, filters } from "./parts.js";
import { clock, full, number } from "./words.js";

const MOST = 2000;
const LEVELS = ["debug", "info", "warning", "error"];

/**
 * @param {HTMLElement} root @param {string} task its id
 * @param {string} attempt its number; '' for the latest one and those that follow it
 * @param {Record<string, string>} query `level` and `find`
 */
export function logs(root, task, attempt, query) {
  /** @type {any[]} */ let lines = [];
  let [missed, cursor, isOver, isThere] = [0, "", false, false];
  let filter = query;
  const ending = new AbortController();

  const draw = () => {
    const box = root.querySelector(".log");
    const isAtEnd = !box || box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    render(root, view());
    const after = root.querySelector(".log");
    if (after && isAtEnd) after.scrollTop = after.scrollHeight;
  };

  function view() {
    const least = LEVELS.indexOf(filter.level ?? "debug");
    const wanted = (filter.find ?? "").toLowerCase();
    const shown = lines.filter((line) => LEVELS.indexOf(line.level) >= least && (!wanted || line.message.toLowerCase().includes(wanted)));
    const state = isOver ? number(lines.length, "line") : isThere ? `${number(lines.length, "line")}, live` : "Loading …";
    return [
      h("div", { class: "toolbar" },
        filters(picked(filter), choice("level", "Level from", filter, LEVELS.slice(1)), field("find", "Find", filter, "text")),
        h("span", { class: "quiet" }, shown.length === lines.length ? state : `${shown.length} of ${state}`)),
      missed ? h("p", { class: "quiet" }, `${number(missed, "earlier line")} not kept.`) : null,
      shown.length
        ? h("ol", { class: "log", tabindex: "0", "aria-label": "Log lines" }, shown.map((line) =>
          h("li", { key: line.key, class: `level-${line.level}` },
            h("time", { datetime: line.timestamp, title: full(line.timestamp) }, clock(line.timestamp)),
            h("span", { class: "level" }, line.level), h("span", { class: "message" }, line.message))))
        : h("p", { class: "quiet" }, lines.length ? "No line meets the filters." : isOver ? "It said nothing." : "Nothing was said yet."),
    ];
  }

  async function follow() {
    let failures = 0;
    while (!isOver && !ending.signal.aborted) {
      try {
        // The first answer comes at once, also where nothing was said.
        const wait = isThere ? 25 : 0;
        const page = await get(`/tasks/${task}/logs:follow`, { execution: attempt, after: cursor, timeout: wait }, ending.signal);
        lines = [...lines, ...page.items.map((/** @type {any} */ line) => ({ ...line, key: `${page.attempt}.${line.number}` }))].slice(-MOST);
        missed = Math.max(missed, page.missed);
        [cursor, isOver, isThere, failures] = [page.cursor, page.is_over, true, 0];
      } catch (error) {
        if (ending.signal.aborted) return;
        if (error instanceof ApiError && error.isGone) isOver = isThere = true;
        else await new Promise((done) => setTimeout(done, Math.min(5000, 500 * 2 ** failures++)));
      }
      if (!ending.signal.aborted) draw();
    }
  }

  draw();
  void follow();
  return {
    close: () => ending.abort(),
    /** @param {Record<string, string>} changed */
    update(changed) {
      filter = changed;
      draw();
    },
  };
}

/** @param {Record<string, string>} query */
const picked = (query) => Object.fromEntries(Object.entries(query).filter(([name]) => name === "level" || name === "find"));
