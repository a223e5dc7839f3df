// @ts-check
import { h, render } from "../dom.js";

export const title = () => "Nothing here";

/** @param {HTMLElement} root */
export function mount(root) {
  render(root, h("div", { class: "empty" }, h("h1", { class: "empty-head" }, "There is no such page"), h("a", { href: "#/runs" }, "All runs")));
  return { close() {} };
}
