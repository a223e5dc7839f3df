// @ts-check
/**
 * A view that stays true: told by a stream, or asked again every few seconds, while somebody looks; and asked at once
 * after an action, and when its stream breaks off, for an answer says why.
 */

import { ApiError } from "./api.js";
import { render } from "./dom.js";
import { away, say } from "./shell.js";
import { stream } from "./stream.js";
import { failure, loading } from "./parts.js";

/** @typedef {import("./route.js").Route} Route */
/**
 * @template T
 * @typedef {object} View
 * @property {(route: Route, signal: AbortSignal) => Promise<T>} load
 * @property {(data: T, route: Route, again: () => void) => import("./dom.js").Kid} draw
 * @property {number | ((data: T) => number)} [every] milliseconds; 0: only when asked
 * @property {string} [stream] where what changes is told
 * @property {(said: any, data: T) => T} [fold] what is there behind what the stream said
 * @property {() => void} [close]
 */

const WAITS = [1000, 2000, 5000];

/**
 * Show a view in *root*.
 * @template T
 * @param {HTMLElement} root @param {Route} route @param {View<T>} view
 * @returns {{close: () => void, update: (route: Route) => void, again: () => void, redraw: () => void}}
 */
export function live(root, route, view) {
  let now = route;
  /** @type {T | undefined} */ let data;
  let failures = 0;
  let timer = 0;
  let isClosed = false;
  let asking = new AbortController();
  render(root, loading());

  const again = () => {
    if (isClosed) return; // what was pressed here ends after somebody left
    clearTimeout(timer);
    asking.abort();
    asking = new AbortController();
    void look(asking.signal);
  };
  const redraw = () => !isClosed && data !== undefined && render(root, view.draw(data, now, again));

  /** @param {AbortSignal} signal */
  async function look(signal) {
    let wait;
    try {
      const found = await view.load(now, signal);
      if (signal.aborted) return;
      data = found;
      failures = 0;
      away(false);
      redraw();
      wait = typeof view.every === "function" ? view.every(found) : (view.every ?? 2000);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) console.error(error);
      wait = WAITS[Math.min(failures++, WAITS.length - 1)];
      const isAway = error instanceof ApiError && error.isAway;
      away(isAway);
      // What passes leaves the view as it is, with all that somebody has typed there.
      const passes = error instanceof ApiError && (isAway || error.status === 429 || error.status >= 500);
      if (!passes || data === undefined) render(root, failure(error, again));
      else if (!isAway) say(error.message);
      if (!passes) wait = 0;
    }
    if (wait && !signal.aborted) timer = setTimeout(next, wait);
  }

  const silence = view.stream === undefined ? () => {} : stream(() => view.stream ?? "", { message: (said) => {
    if (data === undefined || !view.fold) return;
    data = view.fold(said, data);
    redraw();
  } }, again);

  // A view that nobody sees asks nothing.
  const next = () => document.hidden || again();
  const seen = () => !document.hidden && again();
  document.addEventListener("visibilitychange", seen);
  again();
  return {
    again,
    redraw,
    update(changed) {
      now = changed;
      again();
    },
    close() {
      isClosed = true;
      silence();
      clearTimeout(timer);
      asking.abort();
      document.removeEventListener("visibilitychange", seen);
      view.close?.();
    },
  };
}
