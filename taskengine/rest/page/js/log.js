// @ts-check
/** Lines of an attempt as they are said; whatever breaks off goes on behind the last one, so none is missed or twice. */

import { ApiError, get, search } from "./api.js";
import { h, render } from "./dom.js";
import { field, choice, filters } from "./parts.js";
import { stream } from "./stream.js";
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
  let [missed, cursor, drawing] = [0, "", 0];
  /** @type {"" | "live" | "lost" | "over"} */ let state = "";
  let filter = query;

  /** Whether its end is looked at, until somebody scrolls away from it. */
  let follows = true;
  const onscroll = (/** @type {any} */ { target: box }) => (follows = box.scrollHeight - box.scrollTop - box.clientHeight < 40);
  const toEnd = () => {
    const box = root.querySelector(".log");
    if (box && follows) box.scrollTop = box.scrollHeight;
  };
  // The first lines may be drawn before the page around them is: what has no height has no end.
  const sized = new ResizeObserver(toEnd);
  sized.observe(root);

  const draw = () => {
    render(root, view());
    toEnd();
  };

  function view() {
    const least = LEVELS.indexOf(filter.level ?? "debug");
    const wanted = (filter.find ?? "").toLowerCase();
    const shown = lines.slice(-MOST).filter((line) => LEVELS.indexOf(line.level) >= least && (!wanted || line.message.toLowerCase().includes(wanted)));
    const count = number(lines.length, "line");
    const says = { "": "Loading …", live: `${count}, live`, lost: `${count}, not connected`, over: count }[state];
    return [
      lines.length ? h("div", { class: "toolbar" },
        filters(picked(filter), choice("level", "Level from", filter, LEVELS.slice(1)), field("find", "Find", filter, "text")),
        h("span", { class: "quiet" }, shown.length === Math.min(lines.length, MOST) ? says : `${shown.length} of ${says}`)) : null,
      missed ? h("p", { class: "quiet" }, `${number(missed, "earlier line")} not kept.`) : null,
      shown.length
        ? h("ol", { class: "log", tabindex: "0", "aria-label": "Log lines", onscroll }, shown.map((line) =>
          h("li", { key: line.key, class: `level-${line.level}` },
            h("time", { datetime: line.timestamp, title: full(line.timestamp) }, clock(line.timestamp)),
            h("span", { class: "level" }, line.level), h("span", { class: "message" }, line.message))))
        : h("p", { class: "quiet" }, lines.length ? "No line meets the filters." : state === "over" ? "It said nothing." : state ? "Nothing was said yet." : "Loading …"),
    ];
  }

  /** A burst of lines is drawn once. */
  const soon = () => {
    cancelAnimationFrame(drawing);
    drawing = requestAnimationFrame(draw);
  };
  /** @param {typeof state} now */
  const become = (now) => {
    state = now;
    if (now === "over") end();
    soon();
  };
  let end = () => {};
  const begin = () => (end = stream(() => `/tasks/${task}/logs${search({ execution: attempt, after: cursor })}`, {
    open: () => become("live"),
    message(line, id) {
      cursor = id;
      lines.push({ ...line, key: id });
      if (lines.length > 2 * MOST) lines = lines.slice(-MOST);
      soon();
    },
    missed({ lines: count }) {
      missed = Math.max(missed, count);
    },
    end: () => become("over"),
    gone: () => become("over"),
  }, async () => {
    become("lost");
    const isGone = await get(`/tasks/${task}/logs`, { execution: attempt, limit: 1 }).then(() => false, (error) => error instanceof ApiError && error.isGone);
    if (isGone) become("over");
  }));

  begin();
  draw();
  return {
    /** Another attempt has begun, or may: it goes on behind what was said. */
    resume() {
      if (state !== "over") return;
      state = "";
      begin();
    },
    close() {
      end();
      sized.disconnect();
      cancelAnimationFrame(drawing);
    },
    /** @param {Record<string, string>} changed */
    update(changed) {
      filter = changed;
      draw();
    },
  };
}

/** @param {Record<string, string>} query */
const picked = (query) => Object.fromEntries(Object.entries(query).filter(([name]) => name === "level" || name === "find"));
