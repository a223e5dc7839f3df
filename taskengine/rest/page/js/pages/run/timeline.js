// @ts-check
/** When what of a run ran. */
import { h } from "../../dom.js";
import { TimelineView } from "../../timeline.js";
import { number, span } from "../../words.js";
import { CanvasTab } from "./tab.js";

const KEYS = "Left and right arrow walk along a lane, up and down to the next one, Enter opens the task, plus and minus "
  + "zoom, F shows all, slash finds. The same tasks are under Open as list.";

/**
 * Show the timeline of a run in an element.
 * @param {HTMLElement} root @param {any} run what `GET /runs/{id}` says of it, or its id
 * @returns {() => void} what takes it away
 */
export function mount(root, run) {
  const tab = new TimelineTab(root, run, "Timeline", KEYS);
  tab.start();
  return () => tab.close();
}

class TimelineTab extends CanvasTab {
  begin() {
    this.view = new TimelineView(this.stage, /** @type {any} */ (this.feed.board), this.wishes());
  }

  get focus() {
    return this.view?.focused ?? -1;
  }

  missing() {
    return this.feed.board?.start.some((ms) => ms >= 0) ? null : ["Nothing has begun yet", "Each task is a bar here from the moment it starts."];
  }

  controls() {
    const { board } = this.feed;
    const path = this.view?.path ?? [];
    if (!board || !path.length) return null;
    const took = board.end[path[path.length - 1]] - board.start[path[0]];
    return h("span", { class: "quiet", title: "The tasks because of which the run ends when it does; they are outlined" },
      `Critical path: ${number(path.length, "task")}, ${span(took / 1000)}`);
  }
}
