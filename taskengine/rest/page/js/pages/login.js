// @ts-check
/** The form for a key, shown when the server does not know who asks. */

import { h, render } from "../dom.js";

/** @param {HTMLElement} root @param {{says?: string, enter: (key: string) => Promise<void>}} how */
export function mount(root, { says = "", enter }) {
  document.title = "Log in · taskengine";
  const form = () => h("form", { class: "login", onsubmit },
    h("h1", null, "Log in"),
    h("p", null, "This server wants a key. The one of this machine is in the address that ", h("code", null, "taskengine up"),
      " and ", h("code", null, "taskengine server"), " print; others are made with ", h("code", null, "taskengine keys create NAME"), "."),
    // Password managers keep a key under a name.
    h("input", { type: "text", name: "username", value: "taskengine", autocomplete: "username", hidden: true }),
    h("label", { class: "field" }, h("span", null, "Key"),
      h("input", { type: "password", name: "key", required: true, autocomplete: "current-password", placeholder: "te_…", spellcheck: "false" })),
    h("p", { class: "bad-text", role: "alert" }, says),
    h("button", { type: "submit", class: "main" }, "Log in"));

  /** @param {any} event */
  async function onsubmit(event) {
    event.preventDefault();
    const key = event.target.elements.key.value.trim();
    says = "";
    try {
      await enter(key);
    } catch (error) {
      says = error instanceof Error ? error.message : String(error);
      render(root, form());
    }
  }

  render(root, form());
  /** @type {HTMLElement | null} */ (root.querySelector("[type=password]"))?.focus();
  return { close() {} };
}
