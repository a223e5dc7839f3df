// @ts-check
/** Numbers, moments and spans as people say them. */

import { h } from "./dom.js";

const UNITS = /** @type {[number, string][]} */ ([[86400, "d"], [3600, "h"], [60, "min"]]);

/** @param {number} seconds */
export function span(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0.9995) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 59.95) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const at = UNITS.findIndex(([size]) => whole >= size);
  const [size, name] = UNITS[at];
  const [below, unit] = UNITS[at + 1] ?? [1, "s"];
  const rest = Math.floor((whole % size) / below);
  return `${Math.floor(whole / size)} ${name}${rest ? ` ${rest} ${unit}` : ""}`;
}

/** @param {string | null | undefined} moment */
export const ms = (moment) => (moment ? Date.parse(moment) : NaN);

/** Seconds between two moments; without the second until now. @param {any} from @param {any} [to] */
export const between = (from, to) => ((to ? ms(to) : Date.now()) - ms(from)) / 1000;

/** How long ago, or in how long. @param {string} moment */
export function distance(moment) {
  const seconds = (Date.now() - ms(moment)) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `${coarse(seconds)} ago` : `in ${coarse(-seconds)}`;
}

/** @param {number} seconds */
function coarse(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const [size, name] = UNITS.find(([each]) => seconds >= each) ?? [1, "s"];
  return `${Math.round(seconds / size)} ${name}`;
}

/** A moment, by its distance; its own words are a tooltip. @param {string | null | undefined} moment */
export function when(moment) {
  return moment ? h("time", { datetime: moment, title: full(moment) }, distance(moment)) : h("span", { class: "none" }, "–");
}

/** @param {string} moment */
export const full = (moment) =>
  new Date(moment).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
/** @param {string} moment */
export const clock = (moment) => {
  const at = new Date(moment);
  return `${at.toLocaleTimeString("en-GB")}.${String(at.getMilliseconds()).padStart(3, "0")}`;
};

/** A moment of a history: its time to the millisecond, on another day than today the day and the time. @param {string} at */
export const moment = (at) => new Date(at).toDateString() === new Date().toDateString() ? clock(at)
  : new Date(at).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }).replace(",", "");

/** @param {number} count @param {string} one @param {string} [many] */
export const number = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** How long something may still take, no more exactly than anybody knows. @param {number} seconds */
export const about = (seconds) => `about ${seconds < 1 ? "a second" : coarse(seconds)}`;

/** @param {string} text */
export const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** The beginning of an id, which is enough to tell few of them apart. @param {string} id */
export const short = (id) => id.slice(0, 8);

/** A sentence without its advice how to do by a command what a button beside it does. @param {string} text @param {string} id of what is shown */
export function unadvised(text, id) {
  const at = Math.max(text.lastIndexOf("; "), text.lastIndexOf(": taskengine "));
  const tail = text.slice(at);
  return at > 0 && tail.includes("taskengine ") && tail.includes(id) ? text.slice(0, at) : text;
}
