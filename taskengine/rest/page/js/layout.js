// @ts-check
/**
 * Where the nodes of a graph stand: layers from left to right, few crossings, and a shape that fits a screen.
 *
 * Layers are those of the longest path. Four barycentre sweeps order them. A layer with more nodes than there are rows
 * becomes a block of columns, and a graph that is many times as wide as high (a long chain) is broken into bands like
 * the lines of a text. Equal graphs get equal places: nothing here asks a clock or chance.
 */
import { adjacency } from "./adjacency.js";

/** Size of a node and the room between two, in units of the picture: one is a pixel at zoom 1. */
export const NODE = Object.freeze({ width: 160, height: 40 });
export const PITCH = Object.freeze({ x: 220, y: 54, block: 172, band: 90 });

const SWEEPS = 4;
/** Above so many edges fewer sweeps: each costs about 30 ms for 100 000 edges. */
const MANY_EDGES = 400_000;
/** How many times as wide as high the picture wants to be; from when on, with so many layers, it is broken into bands. */
const ASPECT = 1.8;
const TOO_WIDE = Object.freeze({ aspect: 7, layers: 16 });
const ROWS = Object.freeze({ least: 6, most: 400 });
/** Rows of a low picture stand this much farther apart at most. */
const STRETCH = 1.8;

/**
 * @typedef {import("./adjacency.js").Adjacency} Adjacency
 * @typedef {{x: Float32Array, y: Float32Array, width: number, height: number, layer: Uint32Array,
 *   channels: number[]}} Places channels: heights between two bands, from top to bottom
 */

/**
 * Places of *n* nodes: the middle of each, in units.
 * @param {number} n @param {Uint32Array} src @param {Uint32Array} dst edges from a dependency to its dependent
 * @returns {Places}
 */
export function arrange(n, src, dst) {
  const up = adjacency(n, dst, src);
  const down = adjacency(n, src, dst);
  const layer = layersOf(n, up, down);
  const layers = grouped(layer);
  const sweeps = src.length > MANY_EDGES ? 1 : SWEEPS;
  for (let sweep = 0; sweep < sweeps; sweep++) sweepOnce(layers, layer, sweep % 2 ? down : up, sweep % 2 === 1);
  return place(layers, layer, up, down);
}

/**
 * Layer of each node: one more than the highest of what it depends on. What lies on a cycle stands in layer 0.
 * @param {number} n @param {Adjacency} up @param {Adjacency} down
 */
export function layersOf(n, up, down) {
  const layer = new Uint32Array(n);
  const missing = new Uint32Array(n);
  const open = [];
  for (let i = 0; i < n; i++) if (!(missing[i] = up.from[i + 1] - up.from[i])) open.push(i);
  for (let at = 0; at < open.length; at++) {
    const i = open[at];
    for (let e = down.from[i]; e < down.from[i + 1]; e++) {
      const child = down.at[e];
      if (layer[child] <= layer[i]) layer[child] = layer[i] + 1;
      if (!--missing[child]) open.push(child);
    }
  }
  for (let i = 0; i < n; i++) if (missing[i]) layer[i] = 0;
  return layer;
}

/** @param {Uint32Array} layer @returns {number[][]} the nodes of each layer, in the order of their numbers */
function grouped(layer) {
  /** @type {number[][]} */
  const layers = [];
  for (let i = 0; i < layer.length; i++) (layers[layer[i]] ??= []).push(i);
  return layers;
}

/**
 * Order each layer by the mean place of its neighbours on one side.
 * @param {number[][]} layers @param {Uint32Array} layer @param {Adjacency} side @param {boolean} backwards
 */
function sweepOnce(layers, layer, side, backwards) {
  const where = new Float64Array(layer.length);
  const wanted = new Float64Array(layer.length);
  for (const nodes of layers) spread(nodes, where);
  const order = backwards ? [...layers.keys()].reverse() : [...layers.keys()];
  for (const at of order) {
    const nodes = layers[at];
    if (nodes.length === 1) continue;
    for (const i of nodes) wanted[i] = mean(i, side, where) ?? where[i];
    nodes.sort((one, other) => wanted[one] - wanted[other]);
    spread(nodes, where);
  }
}

/** @param {number[]} nodes @param {Float64Array} where gets 0 … 1, by rank */
function spread(nodes, where) {
  nodes.forEach((i, at) => (where[i] = (at + 0.5) / nodes.length));
}

/** @param {number} i @param {Adjacency} side @param {Float64Array} where @returns {number | null} null without any */
function mean(i, side, where) {
  const from = side.from[i];
  const to = side.from[i + 1];
  if (from === to) return null;
  let sum = 0;
  for (let e = from; e < to; e++) sum += where[side.at[e]];
  return sum / (to - from);
}

/** @param {number[][]} layers @param {Uint32Array} layer @param {Adjacency} up @param {Adjacency} down */
function place(layers, layer, up, down) {
  const sizes = layers.map((nodes) => nodes.length);
  const rows = rowsFor(sizes);
  const blocks = sizes.map((size) => Math.ceil(size / rows));
  const bands = bandsFor(sizes, blocks, rows);
  const x = new Float32Array(layer.length);
  const row = new Float32Array(layer.length);
  let top = 0;
  let width = 0;
  const between = [];
  for (const [first, end] of bands) {
    if (first) between.push(top - PITCH.band / PITCH.y / 2 - 0.5);
    let left = 0;
    const height = Math.max(...sizes.slice(first, end).map((size) => Math.min(size, rows)));
    for (let at = first; at < end; at++) {
      placeLayer(layers[at], blocks[at], { left, top, height }, x, row);
      left += (blocks[at] - 1) * PITCH.block + PITCH.x;
    }
    for (let at = first; at < end; at++) if (blocks[at] === 1) align(layers[at], at > first ? up : down, row, top, height);
    width = Math.max(width, left - PITCH.x + NODE.width);
    top += height + PITCH.band / PITCH.y;
  }
  const rowsHigh = Math.max(0, top - PITCH.band / PITCH.y - 1);
  const pitch = PITCH.y * Math.max(1, Math.min(STRETCH, width / ASPECT / (rowsHigh * PITCH.y + NODE.height)));
  const high = (/** @type {number} */ at) => at * pitch + NODE.height / 2;
  const height = layers.length ? rowsHigh * pitch + NODE.height : 0;
  return { x, y: row.map(high), width, height, layer, channels: between.map(high) };
}

/** @param {number[]} nodes @param {number} columns @param {{left: number, top: number, height: number}} box */
function placeLayer(nodes, columns, { left, top, height }, x, row) {
  const first = top + (height - Math.ceil(nodes.length / columns)) / 2;
  nodes.forEach((i, at) => {
    x[i] = left + NODE.width / 2 + (at % columns) * PITCH.block;
    row[i] = first + Math.floor(at / columns);
  });
}

/**
 * Move the nodes of a layer with room to where their neighbours stand, in their order, one row apart at least.
 * @param {number[]} nodes @param {Adjacency} side @param {Float32Array} row @param {number} top @param {number} height
 */
function align(nodes, side, row, top, height) {
  const n = nodes.length;
  if (n >= height) return;
  const wanted = nodes.map((i) => mean(i, side, /** @type {any} */ (row)) ?? row[i]);
  const down = new Float64Array(n);
  const back = new Float64Array(n);
  for (let k = 0; k < n; k++) down[k] = Math.max(wanted[k], k ? down[k - 1] + 1 : top);
  for (let k = n - 1; k >= 0; k--) back[k] = Math.min(wanted[k], k < n - 1 ? back[k + 1] - 1 : top + height - 1);
  for (let k = 0; k < n; k++) down[k] = (down[k] + back[k]) / 2;
  for (let k = n - 1, most = top + height - 1; k >= 0; k--, most--) down[k] = Math.min(down[k], most);
  for (let k = 0; k < n; k++) row[nodes[k]] = Math.max(down[k], top + k);
}

/** Rows that give the picture its shape. @param {number[]} sizes */
export function rowsFor(sizes) {
  const widest = Math.max(1, ...sizes);
  const tall = (rows) => {
    const width = sizes.reduce((sum, size) => sum + PITCH.x + (Math.ceil(size / rows) - 1) * PITCH.block, 0);
    return width / (Math.min(rows, widest) * PITCH.y) <= ASPECT;
  };
  let least = ROWS.least;
  let most = ROWS.most;
  while (least < most) {
    const middle = (least + most) >> 1;
    if (tall(middle)) most = middle;
    else least = middle + 1;
  }
  return least;
}

/**
 * Layers as bands of neighbours, `[first, end]` each: one, unless that would be far too wide.
 * @param {number[]} sizes @param {number[]} blocks @param {number} rows @returns {[number, number][]}
 */
export function bandsFor(sizes, blocks, rows) {
  const widths = blocks.map((columns) => PITCH.x + (columns - 1) * PITCH.block);
  const whole = widths.reduce((sum, width) => sum + width, 0);
  const height = Math.min(rows, Math.max(...sizes)) * PITCH.y;
  if (sizes.length < TOO_WIDE.layers || whole / height <= TOO_WIDE.aspect) return [[0, sizes.length]];
  const line = Math.sqrt(whole * (height + PITCH.band) * ASPECT);
  /** @type {[number, number][]} */
  const bands = [];
  let first = 0;
  let width = 0;
  widths.forEach((each, at) => {
    if (width && width + each > line) {
      bands.push([first, at]);
      first = at;
      width = 0;
    }
    width += each;
  });
  bands.push([first, sizes.length]);
  return bands;
}
