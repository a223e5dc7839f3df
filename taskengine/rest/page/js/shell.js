// @ts-check
/** What stands around every page: names of the pages, light or dark, and whether the server answers. */

import { h, render } from "./dom.js";
import { href } from "./route.js";

/** Address, text, and the strokes of a sign in a square of 20. @type {[string, string, string][]} */
const PLACES = [
  ["runs", "Runs", "M3 5h9M3 10h14M3 15h6"],
  ["tasks", "Tasks", "M3 4.500h3v3H3zM9 6h8M3 12.500h3v3H3zM9 14h8"],
  ["workflows", "Workflows", "M3 8h4v4H3zM13 3h4v4h-4zM13 13h4v4h-4zM7 10h3V5h3M10 10v5h3"],
  ["queues", "Queues", "M3 4h14M3 8h14M3 12h8M14.5 11v6M11.5 14h6"],
  ["workers", "Workers", "M3 4h6v5H3zM11 4h6v5h-6zM3 11h6v5H3zM11 11h6v5h-6z"],
  ["dead-letters", "Set aside", "M3 6l7-3 7 3v8l-7 3-7-3zM7.5 8l5 5M12.5 8l-5 5"],
  ["health", "Health", "M2 10h4l2-5 4 10 2-5h4"],
];
const THEMES = ["system", "light", "dark"];

/** The element that a page draws in. @type {HTMLElement | undefined} */
let stage;
/** Where somebody is; null before it is known who that is. @type {string | null} */
let place = "";
let isAway = false;
let theme = stored();
/** @type {(() => void) | null} */ let signOut = null;
/** @type {string[]} */ let said = [];

/** Draw the frame and return where pages go. @param {HTMLElement} root */
export function frame(root) {
  dressUp();
  root.replaceChildren();
  const show = () => render(root,
    h("a", { class: "skip", href: "#content", onclick: (/** @type {Event} */ e) => (e.preventDefault(), stage?.focus()) }, "Skip to content"),
    h("aside", { class: "side" },
      h("a", { class: "brand", href: "#/runs" }, sign("M3 10h5M8 10c4 0 3-5 7-5M8 10c4 0 3 5 7 5"), h("span", null, "taskengine")),
      place === null ? null : h("nav", { "aria-label": "Pages" }, PLACES.map(([path, text, strokes]) =>
        h("a", { key: path, href: href([path]), "aria-current": path === place ? "page" : null }, sign(strokes), h("span", null, text)))),
      h("div", { class: "side-end" },
        h("button", { type: "button", class: "bare", onclick: turn, title: "Light, dark, or as the system says" },
          sign(theme === "dark" ? "M15 12.500A6 6 0 0 1 8 4a6.5 6.5 0 1 0 7 8.500z" : "M10 6.500a3.5 3.5 0 1 0 .01 0zM10 2v2M10 16v2M2 10h2M16 10h2"),
          h("span", null, `Theme: ${theme}`)),
        signOut ? h("button", { type: "button", class: "bare", onclick: signOut }, sign("M8 4H4v12h4M8 10h9M14 7l3 3-3 3"), h("span", null, "Log out")) : null)),
    h("main", { id: "content", tabindex: "-1", hold: true, ref: (/** @type {HTMLElement} */ made) => (stage = made) }),
    h("div", { class: "notes", role: "status", "aria-live": "polite" },
      isAway ? h("p", { key: "away", class: "note bad" }, "The server does not answer. Trying again …") : null,
      said.map((text) => h("p", { key: text, class: "note" }, text))));
  redraw = show;
  show();
  return /** @type {HTMLElement} */ (stage);
}

let redraw = () => {};

/** @param {string | null} path */
export function at(path) {
  place = path;
  redraw();
  stage?.parentElement?.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** @param {boolean} now whether the server is away */
export function away(now) {
  if (now === isAway) return;
  isAway = now;
  redraw();
}

/** @param {(() => void) | null} how */
export function mayLeave(how) {
  signOut = how;
  redraw();
}

/** Say something for a few seconds. @param {string} text */
export function say(text) {
  said = [...said.filter((other) => other !== text), text].slice(-3);
  redraw();
  setTimeout(() => {
    said = said.filter((other) => other !== text);
    redraw();
  }, 6000);
}

/** @param {string} strokes */
const sign = (strokes) =>
  h("svg", { class: "sign", viewBox: "0 0 20 20", "aria-hidden": "true" }, h("path", { d: strokes }));

function turn() {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // A browser that keeps nothing shows it until it is closed.
  }
  dressUp();
  redraw();
  dispatchEvent(new Event("themechange"));
}

function dressUp() {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function stored() {
  try {
    const found = localStorage.getItem("theme") ?? "system";
    return THEMES.includes(found) ? found : "system";
  } catch {
    return "system";
  }
}
