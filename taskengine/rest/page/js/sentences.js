// @ts-check
/** Events as sentences. What a script noted beside the word is read here, and shown as it is where it is not known. */

import { capital, span } from "./words.js";

/** The attempt and the worker of `2 worker-1#77`. @param {string} note @returns {[string, string]} */
function attempt(note) {
  const [number, ...rest] = note.split(" ");
  return [number, node(rest.join(" "))];
}

/** A worker without the mark that tells its restarts apart. @param {string} text */
const node = (text) => text.replace(/#\d+-[0-9a-f]+/, "");

/** @param {string} text @param {string} [before] */
const after = (text, before = ": ") => (text ? before + text : "");

/** Who paused it and why, of `UNTIL {"by": …, "why": …}`. @param {string} note */
function terms(note) {
  const start = note.indexOf("{");
  if (start < 0) return after(note);
  try {
    const { by, why, reason } = JSON.parse(note.slice(start));
    return `${by ? ` by ${by}` : ""}${after(why ?? reason ?? "")}`;
  } catch {
    return after(note);
  }
}

/** @type {Record<string, (note: string) => string>} */
const SAID = {
  created: () => "was submitted",
  pending: () => "waits again",
  ready: (note) => `is ready to run${after(note)}`,
  started: (note) => {
    const [number, where] = attempt(note);
    return `started attempt ${number} on ${where}`;
  },
  completed: () => "completed",
  failed: (note) => `failed${after(note)}`,
  cancelled: (note) => `was cancelled${after(note)}`,
  retrying: (note) => {
    const [number, rest] = attempt(note);
    const [delay, ...why] = rest.split(" ");
    const seconds = Number(delay) / 1000;
    return `ended attempt ${number} and makes the next one ${Number.isFinite(seconds) ? `in ${span(seconds)}` : "later"}${after(why.join(" "))}`;
  },
  lost: (note) => {
    const [number, rest] = attempt(note);
    return `lost the worker of attempt ${number}, ${rest}`;
  },
  timed_out: (note) => `ran out of time in attempt ${attempt(note)[0]} on ${attempt(note)[1]}`,
  fenced: (note) => `sent a report too late, which was refused (${note})`,
  refused: (note) => `what it returned was refused${after(note)}`,
  handed_back: (note) => `was handed back by its worker${after(note)}`,
  detached: (note) => `goes on at a service in attempt ${attempt(note)[0]}, without a slot`,
  took_up: (note) => `is followed at its service in attempt ${attempt(note)[0]}`,
  asked: () => "asks a person",
  answered: (note) => `was answered${after(note.replace(/^\S+ by /, ""), " by ")}`,
  paused: (note) => `was paused${terms(note)}`,
  pause_requested: (note) => `is to pause when its attempt ends${terms(note)}`,
  pause_withdrawn: () => "is not to pause any more",
  resumed: () => "was resumed",
  held: () => "is held back",
  released: () => "was released",
  reopened: () => "was opened again",
  updated: () => "was changed",
  depends: (note) => `waits for ${note.slice(0, 8)} as well`,
  deleted: () => "was deleted",
  dropped: () => "was struck off the dead letters",
  cancel_requested: (note) => `was asked to stop${after(note)}`,
  deadline_at_risk: (note) => `may miss its deadline by ${span(Number(note) / 1000)}`,
  run_finished: () => "The run is over",
  run_paused: (note) => `The run was paused${terms(note)}`,
  run_resumed: (note) => `The run goes on${terms(note)}`,
  signal_received: (note) => `got the signal ${note}`,
  variables_set: (note) => `set ${note}`,
  step_created: (note) => `is the step ${note}`,
  step_running: () => "began",
  step_completed: () => "completed",
  step_failed: (note) => `failed${after(note)}`,
  step_cancelled: (note) => `was cancelled${after(note)}`,
  step_reopened: () => "was opened again",
  step_closing: (note) => `ends as ${note} once what is in it is over`,
  trimmed: () => "Older events were let go",
};

/** What happened, without who it happened to. @param {{what: string, note: string}} event */
export const tell = ({ what, note }) => SAID[what]?.(note) ?? `${what.replace(/_/g, " ")}${after(note)}`;

/** The same as a sentence of its own. @param {{what: string, note: string}} event */
export function sentence(event) {
  return capital(tell(event));
}
