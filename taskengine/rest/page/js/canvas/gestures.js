// @ts-check
/** Pointer, wheel and keys over a canvas, as what they mean: pan, zoom, hover, tap. */

/** CSS pixels that a pointer may move and still tap. */
const STILL = 4;

/**
 * @typedef {{x: number, y: number}} Point CSS pixels from the left top corner of the element
 * @typedef {{pan: (dx: number, dy: number) => void, zoom: (factor: number, x: number, y: number) => void,
 *   hover: (at: Point | null) => void, tap: (at: Point) => void, twice: (at: Point) => void,
 *   key: (event: KeyboardEvent) => boolean, drag?: (from: Point, to: Point, over: boolean) => void}} Meanings
 */

export class Gestures {
  /** @param {HTMLElement} element @param {Meanings} meanings with `drag`, a drag is that and no pan */
  constructor(element, meanings) {
    this._element = element;
    this._means = meanings;
    /** @type {Map<number, Point>} */
    this._down = new Map();
    this._from = { x: 0, y: 0 };
    this._moved = false;
    this._ends = new AbortController();
    const { signal } = this._ends;
    const on = (name, does, more = {}) => element.addEventListener(name, does, { signal, ...more });
    on("pointerdown", (event) => this._press(event));
    on("pointermove", (event) => this._move(event));
    on("pointerup", (event) => this._lift(event));
    on("pointercancel", (event) => this._down.delete(event.pointerId));
    on("pointerleave", () => this._down.size || meanings.hover(null));
    on("dblclick", (event) => meanings.twice(this._at(event)));
    on("wheel", (event) => this._wheel(event), { passive: false });
    on("keydown", (event) => {
      if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
      if (meanings.key(event)) event.preventDefault();
    });
  }

  close() {
    this._ends.abort();
  }

  /** @param {MouseEvent} event @returns {Point} */
  _at(event) {
    const box = this._element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  _press(event) {
    if (event.button || event.target instanceof HTMLButtonElement) return;
    const at = this._at(event);
    this._down.set(event.pointerId, at);
    this._from = at;
    this._moved = false;
    this._element.focus({ preventScroll: true });
    this._element.setPointerCapture?.(event.pointerId);
  }

  /** @param {PointerEvent} event */
  _move(event) {
    const at = this._at(event);
    const before = this._down.get(event.pointerId);
    if (!before) return this._means.hover(at);
    if (!this._moved && Math.hypot(at.x - this._from.x, at.y - this._from.y) < STILL) return;
    this._moved = true;
    this._means.hover(null);
    if (this._down.size === 2) this._pinch(event.pointerId, at);
    else if (this._means.drag) this._means.drag(this._from, at, false);
    else this._means.pan(at.x - before.x, at.y - before.y);
    this._down.set(event.pointerId, at);
  }

  /** @param {number} id @param {Point} at */
  _pinch(id, at) {
    const before = /** @type {Point} */ (this._down.get(id));
    const [, other] = [...this._down].find(([each]) => each !== id) ?? [0, at];
    const apart = (point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
    this._means.zoom(apart(at) / apart(before), (at.x + other.x) / 2, (at.y + other.y) / 2);
    this._means.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
  }

  /** @param {PointerEvent} event */
  _lift(event) {
    if (!this._down.delete(event.pointerId)) return;
    const at = this._at(event);
    if (!this._moved) this._means.tap(at);
    else this._means.drag?.(this._from, at, true);
  }

  /** @param {WheelEvent} event */
  _wheel(event) {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;
    if (event.shiftKey) return this._means.pan(-(event.deltaX || event.deltaY) * unit, 0);
    const at = this._at(event);
    const pinched = event.ctrlKey ? 4 : 1;
    this._means.zoom(Math.exp(-event.deltaY * unit * pinched * 0.0016), at.x, at.y);
  }
}
