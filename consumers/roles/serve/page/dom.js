// Builds elements, and says numbers and times as people do.

const SVG = "http://www.w3.org/2000/svg";

/** Return an HTML element; attributes that begin with "on" are listeners, null ones are left out. */
export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Return an SVG element. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const shown = new WeakMap();

/**
 * Replace what `node` holds, but only if `key` is another one than before. What was open stays open,
 * and who was on the third link is on the third link again.
 */
export function renew(node, key, children) {
  const text = JSON.stringify(key);
  if (shown.get(node) === text) return;
  shown.set(node, text);
  const reached = () => [...node.querySelectorAll("a, button, summary, [tabindex]")];
  const focused = reached().indexOf(document.activeElement);
  const open = [...node.querySelectorAll("details")].map((one) => one.open);
  node.replaceChildren(...[children()].flat(Infinity).filter((child) => child !== null));
  [...node.querySelectorAll("details")].forEach((one, at) => { one.open = open[at] ?? false; });
  if (focused >= 0) reached()[focused]?.focus({ preventScroll: true });
}

/** Return a table with a caption that may be scrolled by keyboard where it is too wide. */
export function table(caption, heads, rows) {
  const cell = (value, at) => el(at ? "td" : "th", at ? {} : { scope: "row" }, value);
  return el("div", { class: "wide", role: "region", tabindex: "0", "aria-label": caption },
    el("table", {},
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell))))));
}

/** Return a bar of which `share`, 0 to 1, is filled; it says nothing to a screen reader. */
export function bar(share) {
  const inner = el("span");
  inner.style.width = `${(100 * Math.min(1, Math.max(0, share))).toFixed(1)}%`;
  return el("span", { class: "bar", "aria-hidden": "true" }, inner);
}

export function link(kind, id) {
  return el("a", { href: `#/${kind}/${encodeURIComponent(id)}` }, id);
}

/** Return what people call an item: its title, else its id. */
export function nameOf(item) {
  return item.title ?? item.item_id;
}

/** Return a link to an item by its name; its id is told when one points at it. */
export function itemLink(item) {
  return el("a", { href: `#/item/${encodeURIComponent(item.item_id)}`, title: item.title && item.item_id }, nameOf(item));
}

/** Return a link to an item with its id beside it, where it has a title. */
export function itemName(item) {
  return item.title ? [itemLink(item), " ", el("span", { class: "id" }, item.item_id)] : [itemLink(item)];
}

export function number(value, digits = 0) {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Return a number with about three digits. */
export function rough(value) {
  const size = Math.abs(value);
  return number(value, size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

export function percent(share) {
  return `${number(100 * share, 1)} %`;
}

const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

/** Return a time span in its largest unit: "3 hours". */
export function span(seconds) {
  for (const [size, unit] of UNITS) {
    if (seconds >= size * 0.995) {
      const count = seconds / size;
      const text = number(count, count < 10 && Math.abs(count - Math.round(count)) > 0.05 ? 1 : 0);
      return `${text} ${unit}${text === "1" ? "" : "s"}`;
    }
  }
  return `${number(Math.max(0, seconds), 2)} seconds`;
}

/** Return a time span in few letters: "3 h". */
export function short(seconds) {
  const [count, unit] = span(seconds).split(" ");
  return `${count} ${{ day: "days", days: "days", hour: "h", hours: "h", minute: "min", minutes: "min" }[unit] ?? "s"}`;
}

export function clockTime(seconds) {
  return new Date(1000 * seconds).toLocaleTimeString("en-GB");
}

export function time(seconds) {
  const moment = new Date(1000 * seconds);
  return el("time", { datetime: moment.toISOString(), title: moment.toLocaleString("en-GB") },
    clockTime(seconds));
}
