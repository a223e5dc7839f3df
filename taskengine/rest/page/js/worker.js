// @ts-check
/**
 * The thread beside the page: lays graphs out and draws their edges, so that the page never waits for either.
 *
 * It keeps the latest graph that it laid out; `edges` is about that one.
 */
import { arrange } from "./layout.js";
import { hairLines } from "./canvas/edges.js";
import { columnsOf } from "./canvas/scene.js";

/** @type {{id: number, places: import("./layout.js").Places, src: Uint32Array, dst: Uint32Array} | null} */
let known = null;

const asked = {
  /** @param {{id: number, n: number, src: Uint32Array, dst: Uint32Array}} graph */
  arrange({ id, n, src, dst }) {
    const places = arrange(n, src, dst);
    known = { id, places, src, dst };
    const columns = columnsOf(places);
    // The places are needed on both sides, the columns on the page alone.
    postMessage({ what: "places", id, places, columns }, { transfer: Object.values(columns).map((each) => each.buffer) });
  },
  /** @param {{id: number, ask: number, view: import("./canvas/edges.js").View, color: string}} wish */
  edges({ id, ask, view, color }) {
    if (!known || known.id !== id) return;
    const canvas = new OffscreenCanvas(Math.max(1, view.width), Math.max(1, view.height));
    const context = canvas.getContext("2d");
    if (!context) return;
    const oneIn = hairLines(context, known.places, known.src, known.dst, view, color);
    const bitmap = canvas.transferToImageBitmap();
    postMessage({ what: "edges", id, ask, view, bitmap, oneIn }, { transfer: [bitmap] });
  },
};

addEventListener("message", ({ data }) => asked[data.what](data));
