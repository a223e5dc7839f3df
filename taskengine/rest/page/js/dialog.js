// @ts-check
/** Questions before something is done, and what came of it. */

import { ApiError } from "./api.js";
import { element, h, render } from "./dom.js";
import { say } from "./shell.js";

/** @typedef {import("./dom.js").Kid} Kid */

/**
 * Ask; what was filled in by name, or null. The dialog closes by Escape, and gives the focus back.
 * @param {{title: string, text?: Kid, fields?: Kid, action: string, isDangerous?: boolean}} how
 * @returns {Promise<Record<string, string> | null>}
 */
export function question({ title, text, fields, action, isDangerous = false }) {
  const dialog = /** @type {HTMLDialogElement} */ (element("dialog", { "aria-label": title }));
  return new Promise((resolve) => {
    /** @param {Record<string, string> | null} answer */
    const end = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    dialog.oncancel = () => end(null);
    render(dialog, h("form", {
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        end(Object.fromEntries(/** @type {any} */ (new FormData(event.target))));
      },
    },
    h("h2", null, title), text ? h("div", { class: "dialog-text" }, text) : null, fields,
    h("div", { class: "dialog-end" },
      h("button", { type: "button", onclick: () => end(null) }, "Not now"),
      h("button", { type: "submit", class: isDangerous ? "main danger" : "main" }, action))));
    document.body.append(dialog);
    dialog.showModal();
    const first = dialog.querySelector("input, select, textarea");
    /** @type {HTMLElement | null} */ (first ?? dialog.querySelector("button.main"))?.focus();
  });
}

/** Tell something that wants no answer. @param {string} title @param {Kid} text */
export const tell = (title, text) => question({ title, text, action: "Understood" });

export const reasonField = (says = "Reason (others read it)") =>
  h("label", { class: "field" }, h("span", null, says), h("input", { name: "reason", maxlength: "500", autocomplete: "off" }));

/**
 * Do something that a button says; a refusal is told in the server's words.
 * @param {() => Promise<string | null | undefined | void>} deed what to say when it is done @param {() => void} [then]
 */
export async function doing(deed, then) {
  try {
    const says = await deed();
    if (says) say(says);
  } catch (error) {
    if (!(error instanceof ApiError)) console.error(error);
    await tell("The server refused it", h("p", null, error instanceof Error ? error.message : String(error)));
  }
  then?.();
}

/** Only what was given. @param {Record<string, any>} given */
export const given = (given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== "" && value !== undefined));
