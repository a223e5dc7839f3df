// @ts-check
/** What the server is asked, and what it refused. */

import { HEADERS, taken } from "./ahead.js";

export const PREFIX = "/api/v1";

/** A refusal in the words of the server, or of the network where there was none. */
export class ApiError extends Error {
  /** @param {number} status 0: nobody answered @param {any} problem */
  constructor(status, problem) {
    super(problem?.detail ?? problem?.title ?? `HTTP ${status}`);
    this.status = status;
    this.problem = problem ?? {};
  }
  get isAway() {
    return this.status === 0 || this.status === 502 || this.status === 503;
  }
  get isGone() {
    return this.status === 404;
  }
}

/** Called whenever the server does not know who asks. @type {() => void} */
let unknown = () => {};
/** @param {() => void} whenUnknown */
export function onUnknown(whenUnknown) {
  unknown = whenUnknown;
}

/**
 * @param {string} verb @param {string} path behind the prefix
 * @param {{query?: Record<string, any>, body?: any, signal?: AbortSignal, prefix?: string}} [more]
 */
export async function ask(verb, path, { query, body, signal, prefix = PREFIX } = {}) {
  const answer = await fetched(prefix + path + search(query), {
    method: verb,
    signal,
    credentials: "same-origin",
    headers: { ...HEADERS, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 204) return null;
  const said = await answer.text().then(parsed);
  if (answer.ok) return said;
  if (answer.status === 401 && prefix === PREFIX) unknown();
  throw new ApiError(answer.status, said);
}

/** @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] */
export const get = (path, query, signal) => ask("GET", path, { query, signal });
/** @param {string} path @param {any} [body] */
export const post = (path, body = {}) => ask("POST", path, { body });

/** What a value of the address may be is as long as one filter. @param {Record<string, any>} [query] */
export function search(query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

/** @param {string} address @param {RequestInit} init */
async function fetched(address, init) {
  try {
    return await ((init.method === "GET" && taken(address)) || fetch(address, init));
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, { title: "The server does not answer" });
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
