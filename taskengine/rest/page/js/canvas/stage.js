// @ts-check
/**
 * Canvases on top of each other in one element, each painted only when it has to be: at most once a frame of the
 * screen, however often it was asked for.
 */
import { timed } from "../meter.js";

/** Above two device pixels a CSS pixel nobody sees more, and everything costs more. */
const MOST_DPR = 2;

export class Stage {
  /**
   * @param {HTMLElement} element
   * @param {Record<string, (ctx: CanvasRenderingContext2D) => void>} layers painters, the lowest first
   * @param {(size: {width: number, height: number}) => void} resized called with the size in CSS pixels when it
   *   changed, before anything is painted; also before this constructor returns
   */
  constructor(element, layers, resized) {
    this.element = element;
    this.dpr = 1;
    this.width = 0;
    this.height = 0;
    this._resized = resized;
    this._dirty = new Set();
    this._frame = 0;
    this._layers = new Map(Object.entries(layers).map(([name, paint]) => {
      const canvas = document.createElement("canvas");
      canvas.setAttribute("aria-hidden", "true");
      element.append(canvas);
      return [name, { canvas, paint, context: /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")) }];
    }));
    this._observer = new ResizeObserver(() => this._resize());
    this._observer.observe(element);
    this._resize();
  }

  /** The context of a layer, for what may be painted at once. @param {string} layer */
  context(layer) {
    return /** @type {CanvasRenderingContext2D} */ (this._layers.get(layer)?.context);
  }

  /** Have layers painted; without names all of them. @param {...string} layers */
  invalidate(...layers) {
    for (const layer of layers.length ? layers : this._layers.keys()) this._dirty.add(layer);
    this._frame ||= requestAnimationFrame(() => this._paint());
  }

  /** Whether a layer will be painted anyway. @param {string} layer */
  isDirty(layer) {
    return this._dirty.has(layer);
  }

  close() {
    this._observer.disconnect();
    cancelAnimationFrame(this._frame);
    this._frame = -1;
    for (const { canvas } of this._layers.values()) canvas.remove();
  }

  _paint() {
    this._frame = 0;
    const dirty = this._dirty;
    this._dirty = new Set();
    timed("frame", () => {
      for (const [name, { paint, context }] of this._layers) if (dirty.has(name)) paint(context);
    });
  }

  _resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    const dpr = Math.min(MOST_DPR, devicePixelRatio || 1);
    if (!width || !height || (width === this.width && height === this.height && dpr === this.dpr)) return;
    Object.assign(this, { width, height, dpr });
    for (const { canvas } of this._layers.values()) {
      canvas.width = Math.round(width * dpr);
      canvas.height = Math.round(height * dpr);
    }
    this._resized({ width, height });
    this.invalidate();
  }
}
