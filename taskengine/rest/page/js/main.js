// @ts-check
/** From the address to a page, and to the form for a key where the server wants one. */

import { ask, onUnknown } from "./api.js";
import { render } from "./dom.js";
import { failure } from "./parts.js";
import { here } from "./route.js";
import { at, frame, mayLeave } from "./shell.js";

/** First part of the path -> where its page is, and the place in the list of pages that it belongs to.
 * @type {Record<string, [string, string, (path: string[]) => boolean][]>} */
const PAGES = {
  runs: [["./pages/runs.js", "runs", (path) => path.length === 1], ["./pages/run.js", "runs", () => true]],
  tasks: [["./pages/tasks.js", "tasks", (path) => path.length === 1], ["./pages/task.js", "tasks", () => true]],
  workflows: [
    ["./pages/workflows.js", "workflows", (path) => path.length === 1],
    ["./pages/workflow.js", "workflows", () => true],
  ],
  queues: [["./pages/queues.js", "queues", () => true]],
  workers: [["./pages/workers.js", "workers", () => true]],
  "dead-letters": [["./pages/dead_letters.js", "dead-letters", () => true]],
  quarantine: [["./pages/quarantine.js", "dead-letters", () => true]],
  health: [["./pages/health.js", "health", () => true]],
};

/** @typedef {{close: () => void, update?: (route: import("./route.js").Route) => void}} Shown */

const stage = frame(/** @type {HTMLElement} */ (document.getElementById("app")));
/** @type {Shown | null} */ let shown = null;
let address = "";
let turn = 0;

async function show() {
  const route = here();
  if (!route.path.length) return void location.replace("#/runs");
  const [file, place] = PAGES[route.path[0]]?.find(([, , fits]) => fits(route.path)) ?? ["./pages/nowhere.js", ""];
  const wanted = `${file} ${route.path.join("/")}`;
  if (wanted === address && shown?.update) return shown.update(route);
  const mine = ++turn;
  const isFirst = !address;
  leave();
  address = wanted;
  at(place);
  try {
    const page = await import(file);
    if (mine !== turn) return;
    document.title = `${page.title(route)} · taskengine`;
    shown = page.mount(stage, route);
    if (!isFirst) stage.focus({ preventScroll: true });
    scrollTo(0, 0);
  } catch (error) {
    console.error(error);
    if (mine === turn) render(stage, failure(new Error("The server has another version of this page by now."), () => location.reload()));
  }
}

function leave() {
  shown?.close();
  shown = null;
  address = "";
  stage.replaceChildren();
  render(stage);
}

/** @param {string} [says] */
async function signIn(says) {
  const mine = ++turn;
  leave();
  at(null);
  const { mount } = await import("./pages/login.js");
  if (mine === turn) shown = mount(stage, { says, enter });
}

/** Show a key to the server; what it refuses is thrown. @param {string} key */
async function enter(key) {
  await ask("POST", "/session", { body: { key }, prefix: "" });
  mayLeave(out);
  await show();
}

async function out() {
  await ask("DELETE", "/session", { prefix: "" }).catch(() => {});
  mayLeave(null);
  await signIn("You are logged out.");
}

/** The printed address: behind the `#`, which no server sees, a key, and where to go. */
const PRINTED = /^#(key|to)=/;

/** A key leaves the address bar at once. */
async function begin() {
  if (PRINTED.test(location.hash)) {
    const { key, to = "" } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    history.replaceState(null, "", to.startsWith("/") ? `#${to}` : "#/runs");
    if (key) return void (await enter(key).catch((error) => signIn(error.message)));
  }
  await show();
  const session = await ask("GET", "/session", { prefix: "" }).catch(() => null);
  if (session?.name) mayLeave(out);
}

let isAsked = false;
onUnknown(() => {
  if (isAsked) return;
  isAsked = true;
  void signIn().finally(() => (isAsked = false));
});
addEventListener("hashchange", () => (PRINTED.test(location.hash) ? void begin() : void show()));
void begin();
