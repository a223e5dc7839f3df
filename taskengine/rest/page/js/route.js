// @ts-check
/** Where somebody is: `#/path?filters`, so that every view has an address that can be sent to somebody else. */

/** @typedef {{path: string[], query: Record<string, string>}} Route */

/** @param {string} hash @returns {Route} */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** @param {string[]} path @param {Record<string, any>} [query] */
export function href(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text && `?${text}`}`;
}

export const here = () => parse(location.hash);

/** Go somewhere, as a link does. @param {string[]} path @param {Record<string, any>} [query] */
export function go(path, query) {
  location.hash = href(path, query);
}

/**
 * Set filters of the view that is shown; null takes one away. *cursor* belongs to the filters before, so it goes.
 * @param {Record<string, any>} changes @param {boolean} [isStep] a step back in the history leads to before it
 */
export function refine(changes, isStep = false) {
  const { path, query } = here();
  const address = href(path, { ...query, cursor: null, ...changes });
  if (isStep) location.hash = address;
  else {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
