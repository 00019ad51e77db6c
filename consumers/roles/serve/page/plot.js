// Line plots over time, drawn as SVG, each with the same numbers as a table.

import { clockTime, el, svg, table } from "./dom.js";

const HEIGHT = 260;
const EDGE = { left: 52, right: 14, top: 22, bottom: 30 };
const MOST_ROWS = 40;

/**
 * Return a figure.
 *
 * series: [{ name, points: [[seconds, value], …] }]; a value may be null.
 * marks: [{ at, kind: "promotion" | "rollback" | "drift", text }].
 */
export function linePlot({ title, series, marks, format }) {
  const frame = el("div");
  const draw = () => {
    const width = Math.max(280, frame.clientWidth);
    frame.replaceChildren(picture(width, title, series, marks, format));
  };
  new ResizeObserver(draw).observe(frame);
  return el("figure", {}, frame, legend(series, marks),
    el("details", {}, el("summary", {}, "As a table"), numbers(title, series, format)));
}

function picture(width, title, series, marks, format) {
  const points = series.flatMap((one) => one.points.filter((point) => point[1] !== null));
  const first = Math.min(...points.map((point) => point[0]));
  const last = Math.max(first + 1, ...points.map((point) => point[0]));
  const top = ceiling(Math.max(1e-6, ...points.map((point) => point[1])));
  const x = (at) => EDGE.left + ((width - EDGE.left - EDGE.right) * (at - first)) / (last - first);
  const y = (value) => HEIGHT - EDGE.bottom - ((HEIGHT - EDGE.top - EDGE.bottom) * value) / top;
  const parts = [];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const level = y(share * top);
    parts.push(
      svg("line", { class: "axis", x1: EDGE.left, x2: width - EDGE.right, y1: level, y2: level }),
      svg("text", { class: "soft", x: EDGE.left - 8, y: level + 4, "text-anchor": "end" }, format(share * top)));
  }
  const ticks = width < 500 ? 2 : 4;
  for (let at = 0; at <= ticks; at += 1) {
    const moment = first + ((last - first) * at) / ticks;
    const anchor = at === 0 ? "start" : at === ticks ? "end" : "middle";
    parts.push(svg("text", { class: "soft", x: x(moment), y: HEIGHT - 6, "text-anchor": anchor }, clockTime(moment)));
  }
  for (const mark of marks) {
    if (mark.at >= first && mark.at <= last) parts.push(...drawMark(mark, x(mark.at)));
  }
  series.forEach((one, at) => {
    parts.push(svg("path", { class: `series c${at}`, d: path(one.points, x, y) }));
  });
  return svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": said(title, series, marks, format) }, parts);
}

/** A line is broken where a value is missing. */
function path(points, x, y) {
  let drawn = false;
  return points.map(([at, value]) => {
    if (value === null) {
      drawn = false;
      return "";
    }
    const step = `${drawn ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    drawn = true;
    return step;
  }).join("");
}

function drawMark(mark, at) {
  const floor = HEIGHT - EDGE.bottom;
  const told = svg("title", {}, mark.text);
  if (mark.kind === "promotion") {
    return [svg("path", { class: "promotion", d: `M${at} ${floor - 7}l4 7h-8z` }, told)];
  }
  return [
    svg("line", { class: mark.kind, x1: at, x2: at, y1: EDGE.top, y2: floor }, told),
    svg("text", { class: mark.kind, x: at, y: EDGE.top - 7, "text-anchor": "middle" }, mark.kind)];
}

function legend(series, marks) {
  const line = (at) => svg("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" },
    svg("line", { class: `c${at}`, x1: 0, x2: 28, y1: 5, y2: 5 }));
  const entries = series.map((one, at) => el("li", {}, line(at), one.name));
  if (marks.some((mark) => mark.kind === "promotion")) {
    entries.push(el("li", {}, svg("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" },
      svg("path", { class: "promotion", d: "M14 1l5 8h-10z" })), "new model"));
  }
  return el("ul", { class: "legend" }, entries);
}

function numbers(title, series, format) {
  const moments = series[0].points.map((point) => point[0]);
  const step = Math.max(1, Math.ceil(moments.length / MOST_ROWS));
  const rows = [];
  for (let at = moments.length - 1; at >= 0; at -= step) {
    rows.push([clockTime(moments[at]), ...series.map((one) => said1(one.points[at][1], format))]);
  }
  return table(title, ["Time", ...series.map((one) => one.name)], rows);
}

function said1(value, format) {
  return value === null ? "–" : format(value);
}

function said(title, series, marks, format) {
  const now = series.map((one) => `${one.name} ${said1(one.points.at(-1)[1], format)}`).join(", ");
  const count = (kind) => marks.filter((mark) => mark.kind === kind).length;
  return `${title}. Now: ${now}. Rollbacks: ${count("rollback")}, drift: ${count("drift")}. The table below has the numbers.`;
}

/** Return the next round number above a value. */
function ceiling(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].find((one) => one * size >= value) * size;
}
