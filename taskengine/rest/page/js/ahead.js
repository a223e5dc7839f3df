// @ts-check
/**
 * What the page of this address will need, asked for before its code is there: its modules, all at once, and a run.
 *
 * It imports nothing, so it runs before anything else does. Which modules a page loads the server read from them.
 */

/** Pages of one thing, by the place in whose list it stands. @type {Record<string, string>} */
const ONE = { runs: "run", tasks: "task", workflows: "workflow" };
/** Milliseconds for which an answer waits for whoever wants it. */
const KEPT_MS = 20_000;
/** What each request says. */
export const HEADERS = { Accept: "application/json", "Taskengine-Advice": "commands" };

/** @type {Map<string, Promise<Response>>} */
const asked = new Map();

/** The answer that was asked for ahead, once; undefined where none was. @param {string} address */
export function taken(address) {
  const found = asked.get(address);
  asked.delete(address);
  return found;
}

const [, place, id, view = "graph"] = location.hash.split(/[/?]/);
const isDrawn = place === "runs" && Boolean(id) && (view === "graph" || view === "timeline");
if (isDrawn) ask(`/api/v1/runs/${id}/graph?view=compact`);
load(id ? `${ONE[place]}` : `${place}`.replace("-", "_"), isDrawn ? `run/${view}` : "");

/** @param {string} address */
function ask(address) {
  const answer = fetch(address, { credentials: "same-origin", headers: HEADERS });
  answer.catch(() => {}); // whoever takes it hears of it
  asked.set(address, answer);
  setTimeout(() => asked.delete(address), KEPT_MS);
}

/** @param {...string} pages */
function load(...pages) {
  const told = document.querySelector("meta[name=modules]")?.getAttribute("content");
  const modules = JSON.parse(told || "{}");
  for (const path of new Set(pages.flatMap((page) => modules[page] ?? []))) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = new URL(path, import.meta.url).href;
    document.head.append(link);
  }
}
