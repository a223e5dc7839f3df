// @ts-check
/**
 * What the graph and the timeline of a run have in common: tools above a canvas, a legend below it, a card of what has
 * the focus, a tip of what is under the pointer, and the same in words for who sees no canvas.
 */
import { get } from "../../api.js";
import { STATUSES } from "../../board.js";
import { element, h, render } from "../../dom.js";
import { feedOf } from "../../feed.js";
import { empty } from "../../parts.js";
import { go, href } from "../../route.js";
import { sign } from "../../status.js";
import { number } from "../../words.js";
import { facts, spoken } from "./facts.js";

/** Milliseconds between two sentences for those who listen, and between two looks at the numbers. */
const SAID_MS = 5_000;
const SHOWN_MS = 250;

/** @typedef {{text: string, at: number, items: number[]}} Matches */

export class CanvasTab {
  /**
   * @param {HTMLElement} root @param {any} run what `GET /runs/{id}` says of it, or its id
   * @param {string} noun what it is, as a word @param {string} keys which keys do what, as a sentence
   */
  constructor(root, run, noun, keys) {
    this.run = typeof run === "string" ? run : run.id;
    this.feed = feedOf(this.run);
    this.noun = noun;
    /** @type {any} the view on the canvas; null before there is a board */
    this.view = null;
    /** @type {Matches} */
    this.matches = { text: "", at: 0, items: [] };
    this._shown = 0;
    this._build(root, keys);
    this._unlisten = this.feed.listen((news) => this._told(news));
    this._saying = setInterval(() => this._say(), SAID_MS);
  }

  /** @param {HTMLElement} root @param {string} keys */
  _build(root, keys) {
    this.bar = element("div", { class: "canvas-bar" });
    this.stage = element("div", {
      class: "canvas-stage", tabindex: "0", role: "application", "aria-roledescription": this.noun,
      "aria-label": this.noun, "aria-describedby": "canvas-keys",
    });
    this.card = element("div", { class: "canvas-card", hidden: true });
    this.tip = element("div", { class: "canvas-tip", role: "tooltip", hidden: true });
    this.cover = element("div", { class: "canvas-cover", role: "status" });
    this.legend = element("div", { class: "canvas-legend" });
    this.spoken = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
    const box = element("div", { class: "canvas-box" });
    box.append(this.stage, this.tip, this.card, this.cover);
    this.root = element("section", { class: "canvas", "aria-label": this.noun });
    this.void = element("div", { class: "canvas-void" });
    this.root.append(this.void, this.bar, box, this.legend, element("p", { class: "unseen", id: "canvas-keys" }, keys), this.spoken);
    root.replaceChildren(this.root);
  }

  /** Make the view; there is a board. */
  begin() {}

  /** Controls of its own, at the end of the tools. @returns {import("../../dom.js").Kid} */
  controls() {
    return null;
  }

  /** Whether there is a picture. */
  get isDrawn() {
    return Boolean(this.view);
  }

  /** Tasks of what the view calls an item. @param {number} item @returns {ArrayLike<number>} */
  tasksOf(item) {
    return [item];
  }

  get focus() {
    return -1;
  }

  close() {
    this._unlisten();
    clearInterval(this._saying);
    clearTimeout(this._shown);
    this.view?.close();
    this.root.remove();
  }

  /** What every view wants of the page. */
  wishes() {
    return {
      open: (task) => void this.open(task),
      focused: (item) => this._focused(item),
      hovered: (item, at) => this._hovered(item, at),
      find: () => /** @type {HTMLElement | null} */ (this.bar.querySelector("input"))?.focus(),
      now: () => this.feed.now,
    };
  }

  start() {
    if (this.feed.board) this._begin();
    this.draw();
  }

  _begin() {
    this.begin();
    this._say();
  }

  /** @param {import("../../feed.js").News} news */
  _told({ what, change }) {
    if (what === "board" && !this.view) this._begin();
    else if (what === "board") this.view.replaced(this.feed.board);
    else if (change) this.view?.changed(change);
    if (what === "frame") this._shown ||= setTimeout(() => this.draw(), SHOWN_MS);
    else this.draw();
  }

  /** @param {number} task */
  async open(task) {
    const { task_id: id } = await get(`/runs/${this.run}/nodes/${task}`);
    go(["tasks", id]);
  }

  draw() {
    clearTimeout(this._shown);
    this._shown = 0;
    const lacks = this._lacks();
    this.root.classList.toggle("is-empty", Boolean(lacks));
    render(this.void, lacks && empty(...lacks));
    const says = this._notice();
    this.cover.hidden = !says;
    this.cover.classList.toggle("is-whole", !this.isDrawn || !this.feed.board?.size);
    render(this.cover, says && h("p", null, says));
    this.drawBar();
    if (!this.feed.board) return;
    legend(this.legend, this.feed.board.counts, this.note());
    this.card.hidden = this.focus < 0;
    if (this.focus >= 0) render(this.card, this._card(this.focus));
  }

  /** What a canvas cannot say. @returns {string | null} */
  _notice() {
    const { feed } = this;
    if (feed.state === "gone") return feed.problem || "The run is not here any more.";
    if (!feed.board) return feed.state === "away" ? `${feed.problem} Trying again …` : "Reading the run …";
    if (!feed.board.size) return null;
    if (!this.isDrawn) return "Drawing …";
    return feed.state === "away" ? "Not connected: what is shown may be old. Trying again …" : null;
  }

  /** Why there is nothing to draw, and what is there instead; null where there is something. @returns {[string, ...import("../../dom.js").Kid[]] | null} */
  _lacks() {
    const { board } = this.feed;
    if (!board) return null;
    if (board.size) return this.missing();
    return ["This run has no tasks", "They were deleted, or it has made none yet. What happened stands under ",
      h("a", { href: href(["runs", this.run, "events"]) }, "Events"), "."];
  }

  /** What the picture leaves out. @returns {string | null} */
  note() {
    return null;
  }

  /** What the view itself has nothing to show for. @returns {[string, ...import("../../dom.js").Kid[]] | null} */
  missing() {
    return null;
  }

  drawBar() {
    const tool = (says, label, does) =>
      h("button", { type: "button", class: "tool", title: label, "aria-label": label, onclick: does }, says);
    render(this.bar, this._finder(), this._position(), h("span", { class: "room" }), this.controls(),
      h("span", { class: "tools", role: "group", "aria-label": "Zoom" },
        tool("−", "Zoom out (−)", () => this.view?.zoom(1 / 1.4)),
        tool("+", "Zoom in (+)", () => this.view?.zoom(1.4)),
        tool("Fit", "Show all (F)", () => this.view?.fit())),
      h("a", { class: "as-list", href: href(["runs", this.run, "tasks"]) }, "Open as list"));
  }

  _finder() {
    return h("label", { class: "find" }, h("span", { class: "unseen" }, "Find tasks by name"),
      h("input", {
        type: "search", placeholder: "Find a task  /", autocomplete: "off", spellcheck: "false",
        oninput: (event) => this.find(event.target.value, true),
        onkeydown: (event) => this._findKey(event),
      }));
  }

  _position() {
    const { text, at, items } = this.matches;
    if (!text) return null;
    const says = items.length ? `${(at + 1).toLocaleString("en")} of ${items.length.toLocaleString("en")}` : "no such task";
    return h("span", { class: "quiet", role: "status" }, says);
  }

  /** @param {string} text @param {boolean} goes whether the view goes to the first one */
  find(text, goes) {
    const items = this.view?.find(text) ?? [];
    this.matches = { text: text.trim(), at: 0, items };
    if (goes && items.length) this.view.focus(items[0], true);
    this.drawBar();
  }

  /** @param {KeyboardEvent} event */
  _findKey(event) {
    const { matches } = this;
    if (event.key === "Enter" && matches.items.length) {
      const step = event.shiftKey ? -1 : 1;
      matches.at = (matches.at + step + matches.items.length) % matches.items.length;
      this.view.focus(matches.items[matches.at], true);
      this.drawBar();
    } else if (event.key === "Escape") {
      /** @type {HTMLInputElement} */ (event.target).value = "";
      this.find("", false);
      this.stage.focus();
    } else return;
    event.preventDefault();
  }

  /** @param {number} item */
  _focused(item) {
    this.tip.hidden = true;
    this.draw();
    if (item >= 0) this.spoken.textContent = spoken(/** @type {any} */ (this.feed.board), this.tasksOf(item), this.feed.now);
  }

  /** @param {number} item @param {{x: number, y: number}} at */
  _hovered(item, at) {
    this.stage.style.cursor = item >= 0 ? "pointer" : "";
    this.tip.hidden = item < 0 || item === this.focus;
    if (this.tip.hidden) return;
    render(this.tip, facts(/** @type {any} */ (this.feed.board), this.tasksOf(item), this.feed.now));
    const { clientWidth: width, clientHeight: height } = this.stage;
    const left = Math.min(at.x + 14, width - this.tip.offsetWidth - 8);
    const below = at.y + 18;
    const top = below + this.tip.offsetHeight > height ? at.y - this.tip.offsetHeight - 10 : below;
    this.tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  }

  /** @param {number} item */
  _card(item) {
    const board = /** @type {import("../../board.js").Board} */ (this.feed.board);
    const tasks = this.tasksOf(item);
    const isStack = tasks.length > 1;
    return [facts(board, tasks, this.feed.now), isStack ? null : h("div", { class: "quiet" }, around(board, tasks[0])),
      h("div", { class: "card-actions" },
        isStack
          ? h("button", { type: "button", class: "main", onclick: () => this.view.enter(item) }, "Unfold")
          : h("button", { type: "button", class: "main", onclick: () => void this.open(tasks[0]) }, "Open task"),
        h("button", { type: "button", onclick: () => this.view.focus(-1) }, "Close"))];
  }

  _say() {
    const { board } = this.feed;
    if (board) this.stage.setAttribute("aria-label", `${this.noun}: ${sentence(board)}`);
  }
}

/** @param {import("../../board.js").Board} board @param {number} task */
function around({ around: { up, down } }, task) {
  const before = up.from[task + 1] - up.from[task];
  const behind = down.from[task + 1] - down.from[task];
  return `${before ? `after ${number(before, "task")}` : "after no other"}, ${behind ? `${number(behind, "task waits", "tasks wait")} for it` : "nothing waits for it"}`;
}

/** The run in one sentence. @param {import("../../board.js").Board} board */
export function sentence(board) {
  const told = STATUSES.map((word, at) => /** @type {[string, number]} */ ([word, board.counts[at]]))
    .filter(([, count]) => count).map(([word, count]) => `${count.toLocaleString("en")} ${word}`);
  return `${number(board.size, "task")}, ${board.ended.toLocaleString("en")} over: ${told.join(", ") || "none"}.`;
}

/** Colours and signs of the statuses that there are. @param {HTMLElement} root @param {Uint32Array} counts @param {string | null} note */
function legend(root, counts, note) {
  const seen = STATUSES.filter((_, at) => counts[at]);
  render(root, h("ul", { "aria-label": "Colours" }, seen.map((word) =>
    h("li", { key: word }, h("span", { class: `dot c-${word}`, "aria-hidden": "true" }), sign(word), word))),
  note && h("span", { class: "quiet" }, note));
}
