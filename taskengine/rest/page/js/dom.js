// @ts-check
/**
 * Elements from descriptions, and what changed of them.
 *
 * A page describes what it shows each time anew; `render` changes only what differs, so that focus, selection and
 * scroll stay where they are. Text is a text node whatever is in it: there is no way from a string to markup here.
 */

/**
 * @typedef {{tag: string, props: Record<string, any>, key: any, kids: V[], text?: string, node?: Node}} V
 * @typedef {V | string | number | null | undefined | false | Kid[]} Kid
 */

const SVG = new Set(["svg", "g", "path", "rect", "circle", "line", "polyline", "use", "title_"]);
const AS_PROPERTY = new Set(["value", "checked", "disabled", "selected", "open", "indeterminate", "textContent"]);
const REFUSED = /html$|doc$/i;

/** What a node was drawn from. @type {WeakMap<Node, V[]>} */
const drawn = new WeakMap();

/**
 * Describe an element. Of *props*, `on…` are handlers, `style` is an object, `key` tells siblings apart, `ref` is called
 * with the new element, `hold` leaves its children to whoever draws in it.
 * @param {string} tag @param {Record<string, any> | null} [props] @param {...Kid} kids @returns {V}
 */
export function h(tag, props, ...kids) {
  const { key, ...rest } = props ?? {};
  return { tag, props: rest, key, kids: flat(kids) };
}

/**
 * Make an element at once, for whoever keeps it himself.
 * @param {string} tag @param {Record<string, any> | null} [props] @param {...Kid} kids @returns {HTMLElement}
 */
export function element(tag, props, ...kids) {
  return /** @type {HTMLElement} */ (create(h(tag, props, ...kids)));
}

/** Let *parent* show *kids*. @param {Node} parent @param {...Kid} kids */
export function render(parent, ...kids) {
  const next = flat(kids);
  const last = drawn.get(parent) ?? [];
  const keyed = new Map(last.filter((old) => old.key !== undefined).map((old) => [old.key, old]));
  const plain = last.filter((old) => old.key === undefined);
  const kept = new Set();
  let at = 0;
  for (const each of next) {
    // The next one alike: what comes or goes between siblings takes none of them along.
    const found = each.key === undefined ? plain.findIndex((one, place) => place >= at && one.tag === each.tag) : -1;
    if (found >= 0) at = found + 1;
    const old = each.key === undefined ? plain[found] : keyed.get(each.key);
    if (old && old.tag === each.tag && !kept.has(old)) {
      kept.add(old);
      patch(old, each);
    } else create(each);
  }
  for (const old of last) if (!kept.has(old)) old.node?.parentNode?.removeChild(old.node);
  place(parent, next);
  drawn.set(parent, next);
}

/** @param {Node} parent @param {V[]} kids */
function place(parent, kids) {
  let here = parent.firstChild;
  for (const { node } of kids) {
    if (node === here) here = here?.nextSibling ?? null;
    else parent.insertBefore(/** @type {Node} */ (node), here);
  }
}

/** @param {Kid[]} kids @returns {V[]} */
function flat(kids) {
  /** @type {V[]} */ const found = [];
  for (const kid of kids) {
    if (kid === null || kid === undefined || kid === false || kid === "") continue;
    if (Array.isArray(kid)) found.push(...flat(kid));
    else if (typeof kid === "object") found.push(kid);
    else found.push({ tag: "#", props: {}, key: undefined, kids: [], text: String(kid) });
  }
  return found;
}

/** @param {V} each @returns {Node} */
function create(each) {
  if (each.tag === "#") return (each.node = document.createTextNode(each.text ?? ""));
  const node = SVG.has(each.tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", each.tag)
    : document.createElement(each.tag);
  each.node = node;
  if (!each.props.hold) render(node, each.kids);
  for (const [name, value] of Object.entries(each.props)) set(node, name, value, undefined);
  each.props.ref?.(node);
  return node;
}

/** @param {V} old @param {V} each */
function patch(old, each) {
  const node = (each.node = /** @type {Node} */ (old.node));
  if (each.tag === "#") {
    if (old.text !== each.text) node.nodeValue = each.text ?? "";
    return;
  }
  const element = /** @type {Element} */ (node);
  if (!each.props.hold) render(element, each.kids);
  for (const name of Object.keys(old.props)) if (!(name in each.props)) set(element, name, null, old.props[name]);
  for (const [name, value] of Object.entries(each.props)) set(element, name, value, old.props[name]);
}

/** @param {Element} node @param {string} name @param {any} value @param {any} old */
function set(node, name, value, old) {
  if (name === "ref" || name === "hold") return;
  if (REFUSED.test(name)) throw new TypeError(`${name} is markup; give children`);
  if (name === "style") return dress(/** @type {HTMLElement} */ (node), value ?? {}, old ?? {});
  if (name.startsWith("on")) {
    if (value !== null && typeof value !== "function") throw new TypeError(`${name} is no function`);
    /** @type {any} */ (node)[name] = value ?? null;
  } else if (AS_PROPERTY.has(name)) {
    const found = /** @type {any} */ (node);
    // What somebody types or opens is his until the description itself changes.
    if (value !== old && found[name] !== value) found[name] = value ?? (name === "value" ? "" : false);
  } else if (value === old) return;
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (name === "href" && !/^[#/]/.test(String(value))) throw new TypeError("an address leads out of this page");
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** @param {HTMLElement | SVGElement} node @param {Record<string, string>} now @param {Record<string, string>} old */
function dress(node, now, old) {
  for (const name of Object.keys(old)) if (!(name in now)) node.style.removeProperty(name);
  for (const [name, value] of Object.entries(now)) if (value !== old[name]) node.style.setProperty(name, value);
}
