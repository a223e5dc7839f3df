// @ts-check
import { render } from "../dom.js";
import { empty } from "../parts.js";

export const title = () => "Nothing here";

/** @param {HTMLElement} root */
export function mount(root) {
  render(root, empty("There is no such page", "The pages stand at the left."));
  return { close() {} };
}
