// @ts-check
/** What part of the picture is seen: units to pixels and back, zoom, pan, fit. */

const NEAREST = 2.5;
/** Share of the canvas that stays free around a whole picture. */
const MARGIN = 0.04;

export class Camera {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    /** CSS pixels. */
    this.width = 1;
    this.height = 1;
    /** Units of the whole picture. */
    this.picture = { width: 1, height: 1 };
  }

  /** What painters want, in device pixels. @param {number} dpr device pixels of a CSS pixel
   * @returns {import("./edges.js").View} */
  view(dpr) {
    const { x, y, scale, width, height } = this;
    return { x, y, scale: scale * dpr, width: Math.round(width * dpr), height: Math.round(height * dpr) };
  }

  /** @param {number} px @param {number} py CSS pixels from the left top corner */
  units(px, py) {
    return { x: this.x + px / this.scale, y: this.y + py / this.scale };
  }

  /** @param {number} x @param {number} y units */
  pixels(x, y) {
    return { x: (x - this.x) * this.scale, y: (y - this.y) * this.scale };
  }

  /** Scale at which the whole picture is seen. */
  get whole() {
    const { picture } = this;
    const room = 1 - 2 * MARGIN;
    const fits = Math.min((this.width * room) / picture.width, (this.height * room) / picture.height);
    return Math.min(1.15, fits);
  }

  fit() {
    this.scale = this.whole;
    this.centre(this.picture.width / 2, this.picture.height / 2);
  }

  /** @param {number} x @param {number} y units that come into the middle */
  centre(x, y) {
    this.x = x - this.width / 2 / this.scale;
    this.y = y - this.height / 2 / this.scale;
  }

  /** Zoom by a factor; the point under *px*, *py* stays. */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const before = this.units(px, py);
    this.scale = Math.min(NEAREST, Math.max(Math.min(this.whole * 0.6, NEAREST), this.scale * factor));
    this.x = before.x - px / this.scale;
    this.y = before.y - py / this.scale;
    this._hold();
  }

  /** @param {number} dx @param {number} dy CSS pixels */
  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this._hold();
  }

  /** Keep the middle of the canvas over the picture, or one could lose it. */
  _hold() {
    const half = { x: this.width / 2 / this.scale, y: this.height / 2 / this.scale };
    this.x = Math.min(this.picture.width, Math.max(0, this.x + half.x)) - half.x;
    this.y = Math.min(this.picture.height, Math.max(0, this.y + half.y)) - half.y;
  }
}
