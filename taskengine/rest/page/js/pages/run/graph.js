// @ts-check
/** The graph of a run. Of the address, `fold=1` folds kinds and `path=1` outlines the critical path. */
import { h } from "../../dom.js";
import { Expected } from "../../estimate.js";
import { feedOf } from "../../feed.js";
import { GraphView } from "../../graph.js";
import { Planner } from "../../planner.js";
import { here, refine } from "../../route.js";
import { CanvasTab } from "./tab.js";

const KEYS = "Arrow keys walk along dependencies and beside them, Enter opens the task, plus and minus zoom, F shows all, "
  + "slash finds. The same tasks are under Open as list.";

/**
 * Show the graph of a run in an element.
 * @param {HTMLElement} root @param {any} run what `GET /runs/{id}` says of it, or its id
 * @returns {() => void} what takes it away
 */
export function mount(root, run) {
  Planner.warm();
  const tab = new GraphTab(root, run, "Graph of tasks", KEYS);
  const routed = () => tab.route();
  addEventListener("hashchange", routed);
  tab.start();
  return () => {
    removeEventListener("hashchange", routed);
    tab.close();
  };
}

class GraphTab extends CanvasTab {
  begin() {
    const board = /** @type {import("../../board.js").Board} */ (this.feed.board);
    const expected = new Expected();
    this._oneIn = 1;
    this.view = new GraphView(this.stage, board, {
      ...this.wishes(),
      unfold: () => refine({ fold: null }),
      placed: () => this._placed(),
      sampled: (oneIn) => this._sampled(oneIn),
      expected: (task) => expected.of(/** @type {any} */ (this.feed.board), task),
    });
    this.route();
  }

  get isDrawn() {
    return Boolean(this.view?.scene);
  }

  get focus() {
    return this.view?.attention.focus ?? -1;
  }

  tasksOf(item) {
    return this.view.scene.tasksOf(item);
  }

  route() {
    const { query } = here();
    this.view?.fold(query.fold === "1");
    this.view?.path(query.path === "1");
    this.draw();
  }

  controls() {
    return [toggle("Fold kinds", "fold", "Fold tasks whose names are alike but for digits into stacks"),
      toggle("Critical path", "path", "Outline the tasks because of which the run ends when it does")];
  }

  _sampled(oneIn) {
    this._oneIn = oneIn;
    this.draw();
  }

  note() {
    return this._oneIn > 1 ? `1 of ${this._oneIn} edges drawn` : null;
  }

  _placed() {
    if (this.matches.text) this.find(this.matches.text, false);
    this.draw();
  }
}

function toggle(says, name, hint) {
  const isOn = here().query[name] === "1";
  return h("button", {
    key: name, type: "button", title: hint, "aria-pressed": String(isOn),
    onclick: () => refine({ [name]: here().query[name] === "1" ? null : "1" }),
  }, says);
}
