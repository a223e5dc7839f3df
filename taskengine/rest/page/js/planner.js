// @ts-check
/** The worker as its users see it: a graph in, places out; the edges of the latest graph as a bitmap. */

/**
 * @typedef {import("./layout.js").Places} Places
 * @typedef {import("./canvas/scene.js").Columns} Columns
 * @typedef {import("./canvas/edges.js").View} View
 * @typedef {{bitmap: ImageBitmap, view: View, oneIn: number}} EdgePicture
 */

/** @type {Planner | null} */
let spare = null;

export class Planner {
  constructor() {
    this._worker = new Worker(trusted(new URL("./worker.js", import.meta.url).href), { type: "module" });
    this._worker.onmessage = ({ data }) => this._told(data);
    this._graph = 0;
    this._ask = 0;
    /** @type {((found: {places: Places, columns: Columns}) => void) | null} */
    this._placed = null;
    /** @type {((picture: EdgePicture) => void) | null} */
    this._drawn = null;
  }

  /** One that has begun to load already, if there is any. */
  static taken() {
    const found = spare ?? new Planner();
    spare = null;
    return found;
  }

  /** Have one begin to load. */
  static warm() {
    spare ??= new Planner();
  }

  /**
   * Lay a graph out; an older wish that is not answered yet is forgotten.
   * @param {{n: number, src: Uint32Array, dst: Uint32Array}} graph
   * @param {(found: {places: Places, columns: Columns}) => void} then
   */
  arrange({ n, src, dst }, then) {
    this._placed = then;
    this._drawn = null;
    this._worker.postMessage({ what: "arrange", id: ++this._graph, n, src, dst });
  }

  /**
   * Draw the edges of the graph that was laid out last; an older wish is forgotten.
   * @param {View} view @param {string} color @param {(picture: EdgePicture) => void} then
   */
  draw(view, color, then) {
    this._drawn = then;
    this._worker.postMessage({ what: "edges", id: this._graph, ask: ++this._ask, view, color });
  }

  close() {
    this._worker.terminate();
  }

  _told(said) {
    const current = said.id === this._graph && (said.what === "places" || said.ask === this._ask);
    if (!current) return void said.bitmap?.close();
    if (said.what === "places") this._placed?.(said);
    else this._drawn?.(said);
  }
}

/** The address of a script as a browser with trusted types wants it. @param {string} address */
function trusted(address) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return address;
  policy ??= types.createPolicy("taskengine", { createScriptURL: (/** @type {string} */ url) => own(url) });
  return policy.createScriptURL(address);
}

/** @type {any} */
let policy = null;

/** @param {string} url */
function own(url) {
  if (new URL(url).origin !== location.origin) throw new TypeError(`${url} is not of this page`);
  return url;
}
