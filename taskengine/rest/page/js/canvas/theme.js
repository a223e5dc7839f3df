// @ts-check
/** The colours of the page for canvases, which cannot read style sheets; read again when the theme changes. */
import { STATUSES } from "../board.js";

/**
 * `status` by its number, for dots and bars, and what is readable on it; the others as the style sheet calls them.
 * @typedef {{status: string[], onFill: string[], text: string, muted: string, bg: string, surface: string, line: string, strong: string,
 *   accent: string, edge: string, font: string}} Theme
 */

/** @param {Element} element @returns {Theme} */
export function readTheme(element) {
  const style = getComputedStyle(element);
  const value = (name) => style.getPropertyValue(name).trim() || style.color;
  return {
    status: STATUSES.map((word) => value(`--c-${word}`)),
    onFill: STATUSES.map((word) => value(`--on-${word}`)),
    text: value("--text"),
    muted: value("--muted"),
    bg: value("--sunken"),
    surface: value("--surface"),
    line: value("--line"),
    strong: value("--line-strong"),
    accent: value("--accent"),
    edge: value("--c-edge"),
    font: style.fontFamily,
  };
}

/** Call *changed* whenever the colours may be others; returns what ends that. @param {() => void} changed */
export function whenThemed(changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", changed);
  addEventListener("themechange", changed);
  return () => {
    system.removeEventListener("change", changed);
    removeEventListener("themechange", changed);
  };
}
