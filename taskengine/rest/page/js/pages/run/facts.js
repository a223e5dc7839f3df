// @ts-check
/** What is said of tasks under the pointer or in focus. */
import { STATUS, STATUSES } from "../../board.js";
import { countsOf } from "../../canvas/boxes.js";
import { plain } from "../../canvas/captions.js";
import { h } from "../../dom.js";
import { badge, sign } from "../../status.js";
import { number, span } from "../../words.js";

/** @typedef {import("../../board.js").Board} Board */

/** How long a task waited and ran, or does; "" where it did neither. @param {Board} board @param {number} now */
export function times(board, task, now) {
  const [ready, start, end] = [board.ready[task], board.start[task], board.end[task]];
  const waited = ready >= 0 && start >= ready ? `waited ${span((start - ready) / 1000)}, ` : "";
  if (start >= 0 && end >= start) return `${waited}ran ${span((end - start) / 1000)}`;
  if (start >= 0 && board.status[task] === STATUS.running) return `${waited}runs for ${span(Math.max(0, now - start) / 1000)}`;
  if (ready >= 0 && board.status[task] === STATUS.ready) return `ready for ${span(Math.max(0, now - ready) / 1000)}`;
  return "";
}

/** @param {Board} board @param {ArrayLike<number>} tasks one, or those of a stack @param {number} now */
export function facts(board, tasks, now) {
  const task = tasks[0];
  if (tasks.length > 1) return stackFacts(board, tasks);
  const queue = board.queues[board.queue[task]];
  return [h("strong", null, board.names[task]),
    h("div", { class: "facts-line" }, badge(STATUSES[board.status[task]]), h("span", { class: "quiet" }, times(board, task, now))),
    queue ? h("div", { class: "quiet" }, `queue ${queue}`) : null];
}

/** @param {Board} board @param {any} tasks */
function stackFacts(board, tasks) {
  return [h("strong", null, `${plain(board.kinds.names[board.kinds.of[tasks[0]]])} × ${tasks.length.toLocaleString("en")}`),
    h("div", { class: "facts-line" }, counted(board, tasks).map(([word, count]) =>
      h("span", { key: word, class: "badge" }, sign(word), `${count.toLocaleString("en")} ${word}`)))];
}

/** @param {Board} board @param {any} tasks @param {number} now */
export function spoken(board, tasks, now) {
  const task = tasks[0];
  if (tasks.length === 1) return `${board.names[task]}, ${STATUSES[board.status[task]]} ${times(board, task, now)}`;
  const told = counted(board, tasks).map(([word, count]) => `${count} ${word}`);
  return `${number(tasks.length, "task")} ${plain(board.kinds.names[board.kinds.of[task]])}: ${told.join(", ")}`;
}

/** @returns {[string, number][]} */
function counted(board, tasks) {
  const counts = countsOf(board, tasks);
  return STATUSES.map((word, at) => /** @type {[string, number]} */ ([word, counts[at]])).filter(([, count]) => count);
}
