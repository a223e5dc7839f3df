// @ts-check
/** A form from a JSON Schema: a field for each plain property, JSON for the rest. */

import { h } from "./dom.js";
import { capital } from "./words.js";

/** @typedef {import("./dom.js").Kid} Kid */

/** @param {any} schema */
const kindOf = (schema) => schema?.enum ? "enum" : Array.isArray(schema?.type) ? schema.type.find((/** @type {string} */ each) => each !== "null") : schema?.type;

/** @param {any} schema @returns {[string, any, boolean][]} */
const properties = (schema) => Object.entries(schema?.properties ?? {})
  .map(([name, each]) => /** @type {[string, any, boolean]} */ ([name, each, (schema.required ?? []).includes(name)]))
  .sort(([, , one], [, , other]) => Number(other) - Number(one));

/** The fields of a form; one of JSON where the schema names none. @param {any} schema @returns {Kid} */
export function fields(schema) {
  const found = properties(schema);
  return found.length ? found.map(([name, each, isNeeded]) => field(name, each, isNeeded)) : field("", { title: "Answer as JSON" }, true);
}

/** @param {string} name @param {any} schema @param {boolean} isNeeded */
function field(name, schema, isNeeded) {
  const says = [schema.title ?? capital(name.replace(/_/g, " ")), isNeeded ? "" : " (if any)"].join("");
  const hint = schema.description ? h("small", { class: "quiet" }, schema.description) : null;
  const common = { name: `field:${name}`, required: isNeeded };
  switch (kindOf(schema)) {
    case "boolean":
      return h("label", { key: name, class: "check" }, h("input", { type: "checkbox", name: `field:${name}`, checked: schema.default === true }), h("span", null, schema.title ?? capital(name.replace(/_/g, " "))), hint);
    case "enum":
      return labelled(name, says, hint, h("select", common, isNeeded ? null : h("option", { value: "" }, "–"),
        schema.enum.map((/** @type {any} */ each, /** @type {number} */ at) => h("option", { key: at, value: String(at) }, String(each)))));
    case "integer":
    case "number":
      return labelled(name, says, hint, h("input", {
        ...common, type: "number", step: kindOf(schema) === "integer" ? "1" : "any", min: schema.minimum, max: schema.maximum, value: schema.default,
      }));
    case "string":
      return labelled(name, says, hint, (schema.maxLength ?? 0) > 200
        ? h("textarea", { ...common, rows: "4", maxlength: schema.maxLength })
        : h("input", { ...common, type: "text", maxlength: schema.maxLength, value: schema.default }));
    default:
      return labelled(name, says, hint, h("textarea", { ...common, rows: "4", class: "mono", placeholder: "JSON" }));
  }
}

/** @param {string} name @param {string} says @param {Kid} hint @param {Kid} control */
const labelled = (name, says, hint, control) => h("label", { key: name, class: "field" }, h("span", null, says), control, hint);

/**
 * What a form says, as its schema has it; what is no JSON is thrown in words.
 * @param {any} schema @param {Record<string, any>} given by the names of its controls
 */
export function value(schema, given) {
  const found = properties(schema);
  if (!found.length) return json(given["field:"], "the answer");
  /** @type {Record<string, any>} */ const made = {};
  for (const [name, each] of found) {
    const text = given[`field:${name}`];
    if (kindOf(each) === "boolean") made[name] = text !== undefined;
    else if (text !== undefined && text !== "") made[name] = one(each, text, name);
  }
  return made;
}

/** @param {any} schema @param {string} text @param {string} name */
function one(schema, text, name) {
  switch (kindOf(schema)) {
    case "enum": return schema.enum[Number(text)];
    case "integer":
    case "number": return Number(text);
    case "string": return text;
    default: return json(text, name);
  }
}

/** @param {string} text @param {string} name */
export function json(text, name) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : error}; write JSON, text in double quotes`);
  }
}
