// @ts-check
/**
 * A stream of the server's, for as long as somebody looks: opened again by itself when the server ends or dies.
 *
 * A tab that nobody sees has none, for a browser opens six connections to a server, in all tabs together.
 */

import { PREFIX } from "./api.js";

/** Milliseconds until another try, growing. */
const WAITS = [500, 1_000, 2_000, 5_000];

/**
 * @param {() => string} address behind the prefix; asked at each opening, so that it goes on behind what is known
 * @param {Record<string, (said: any, id: string) => void>} heard by the name of the event; `open`: it is there
 * @param {() => void} lost it broke off, or was refused, for which a stream has no words; it is opened again all the same
 * @returns {() => void} what ends it
 */
export function stream(address, heard, lost) {
  /** @type {EventSource | null} */ let source = null;
  let [timer, failures, isEnded] = [0, 0, false];

  const stop = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const broken = () => {
    stop();
    if (isEnded || document.hidden) return;
    timer = setTimeout(open, WAITS[Math.min(failures++, WAITS.length - 1)]);
    lost();
  };
  function open() {
    stop();
    if (isEnded || document.hidden) return;
    source = new EventSource(PREFIX + address());
    source.onopen = () => {
      failures = 0;
      heard.open?.(null, "");
    };
    source.onerror = broken;
    for (const word of ["lagged", "bye"]) source.addEventListener(word, broken);
    for (const [word, hear] of Object.entries(heard))
      if (word !== "open") source.addEventListener(word, ({ data, lastEventId }) => hear(JSON.parse(data), lastEventId));
  }
  document.addEventListener("visibilitychange", open);
  open();
  return () => {
    isEnded = true;
    stop();
    document.removeEventListener("visibilitychange", open);
  };
}
