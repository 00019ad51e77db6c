// Item: what is clicked after it and close to it, and how popular it is on every time scale.

import { ask, part } from "./api.js";
import { bar, el, itemLink, itemName, nameOf, percent, renew, rough, span, svg, table } from "./dom.js";
import { findItems, itemsHeading, meantItem, searchField } from "./search.js";

const POLL_SECONDS = 5;
const FOUND = 12;
const NEIGHBOURS = 10;
const DAY_SECONDS = 86400;

export function show(main, about, visit) {
  const search = searchField({
    label: "Item id, or words of its title",
    text: about,
    submit: async (text) => { location.hash = `#/item/${part((await meantItem(text, visit)).item_id)}`; },
    find: (text) => findItems(text, FOUND, visit),
    entry: itemLink,
    heading: (text) => (text ? itemsHeading(text) : "Popular now"),
  }, visit);
  const head = el("h1", {}, about ? `Item ${about}` : "Look at an item");
  main.append(head,
    el("section", { class: "card", "aria-label": "Find an item" }, search));
  if (!about) return;

  const facts = el("p", { class: "soft" });
  const scale = el("select");
  const graph = el("div");
  const popularity = el("div");
  const similar = el("div");
  main.append(facts,
    el("section", { class: "card", "aria-labelledby": "graph" },
      el("h2", { id: "graph" }, "Its neighbours in the item graph"),
      el("p", {}, el("label", { class: "soft small" }, "Time scale ", scale)), graph),
    el("div", { class: "two" },
      el("section", { class: "card", "aria-labelledby": "popularity" },
        el("h2", { id: "popularity" }, "How popular it is now"), popularity),
      el("section", { class: "card", "aria-labelledby": "similar" },
        el("h2", { id: "similar" }, "Items with similar vectors"), similar)));

  let item = null;
  const draw = () => renew(graph, [item, scale.value, Math.round(graph.clientWidth / 10)],
    () => neighbourhood(item, Number(scale.value), graph.clientWidth));
  scale.addEventListener("change", draw);
  const observer = new ResizeObserver(() => item && draw());
  observer.observe(graph);
  visit.signal.addEventListener("abort", () => observer.disconnect());

  visit.repeat(POLL_SECONDS, async () => {
    const path = `/v1/items/${part(about)}`;
    item = await ask(`${path}/neighbours?k=${NEIGHBOURS}`, visit);
    if (visit.signal.aborted) return;
    if (!scale.options.length) {
      scale.append(...item.half_lives_seconds.map((seconds, at) => el("option", { value: at }, span(seconds))));
      scale.value = String(nearest(item.half_lives_seconds, DAY_SECONDS));
    }
    if (item.title) {
      renew(head, item.title, () => [item.title, " ", el("span", { class: "id" }, about)]);
      document.title = `${item.title} – Item – gsr`;
    }
    facts.textContent = `${item.listable ? "" : "It may not be listed. "}${lastClick(item)}`;
    renew(popularity, item.popularity, () => scales(item));
    draw();
    const found = await ask(`${path}/similar?k=${NEIGHBOURS}`, visit).catch((error) => {
      if (error.status === 503) return { items: [] };
      throw error;
    });
    if (visit.signal.aborted) return;
    renew(similar, found.items, () => (found.items.length
      ? table("Cosine of the learned vectors", ["Item", "Cosine"],
        found.items.map((one) => [itemName(one), one.cosine.toFixed(3)]))
      : el("p", {}, "It has no learned vector yet.")));
  });
}

function lastClick(item) {
  const pause = item.as_of - item.last_click_at;
  return pause < 1 ? "The newest click of all is on it." : `It was clicked last ${span(pause)} before the newest click of all.`;
}

function nearest(values, wanted) {
  const distances = values.map((value) => Math.abs(Math.log(value / wanted)));
  return distances.indexOf(Math.min(...distances));
}

function scales(item) {
  const most = Math.max(1e-9, ...item.popularity);
  return table("Clicks by everybody; one counts half when the time scale has gone by",
    ["Time scale", "Clicks", "Compared"],
    item.half_lives_seconds.map((seconds, at) => [
      span(seconds), rough(item.popularity[at]), bar(item.popularity[at] / most)]));
}

/** The item in the middle: what is close to it on the left, what is clicked after it on the right. */
function neighbourhood(item, scale, width) {
  const closeScale = nearest(item.close_half_lives_seconds, item.half_lives_seconds[scale]);
  const side = (found, at) => found
    .map((one) => ({ item: one, weight: one.weights[at] }))
    .filter((one) => one.weight > 0)
    .sort((one, other) => other.weight - one.weight);
  const after = side(item.followers, scale);
  const close = side(item.close, closeScale);
  if (!after.length && !close.length) return el("p", {}, "Nobody has gone on from it yet.");
  const closeSpan = span(item.close_half_lives_seconds[closeScale]);
  return [
    picture(nameOf(item), close, after, Math.max(280, width)),
    el("p", { class: "soft small" }, "Left: clicked close to it, before or after. Right: clicked after it. The thicker, the more often."),
    el("details", {}, el("summary", {}, "As a table"),
      weights(`Clicked after it (${span(item.half_lives_seconds[scale])})`, after),
      weights(`Clicked close to it (${closeSpan})`, close)),
  ];
}

function weights(caption, side) {
  const total = side.reduce((sum, one) => sum + one.weight, 0) || 1;
  return table(caption, ["Item", "Weight", "Share of these"],
    side.map((one) => [itemName(one.item), rough(one.weight), percent(one.weight / total)]));
}

function picture(name, close, after, width) {
  const row = 30;
  const height = Math.max(140, row * Math.max(close.length, after.length) + 20);
  const room = Math.min(112, Math.max(64, width / 4)); // for the names
  const reach = Math.min(width / 2 - room - 14, 230);
  const letters = Math.max(8, Math.floor((width / 2 - reach - 24) / 7));
  // One side alone is drawn in the middle.
  const shift = (Boolean(close.length) - Boolean(after.length)) * (reach / 2);
  const middle = { x: width / 2 + shift, y: height / 2 };
  const parts = [];
  const nodes = [];
  for (const [side, sign, kind] of [[close, -1, "close"], [after, 1, ""]]) {
    const most = side[0]?.weight ?? 1;
    side.forEach((one, at) => {
      const x = middle.x + sign * reach;
      const y = middle.y + row * (at - (side.length - 1) / 2);
      const bend = middle.x + (sign * reach) / 2;
      const share = one.weight / most;
      parts.push(svg("path", {
        class: `edge ${kind}`, "stroke-width": (1 + 7 * share).toFixed(1),
        d: `M${middle.x} ${middle.y}C${bend} ${middle.y} ${bend} ${y} ${x} ${y}`,
      }));
      nodes.push(svg("a", { href: `#/item/${part(one.item.item_id)}` },
        svg("title", {}, `${said(one.item)}: ${rough(one.weight)}`),
        svg("circle", { class: `node ${kind}`, cx: x, cy: y, r: (4 + 5 * share).toFixed(1) }),
        svg("text", { x: x + sign * 14, y: y + 4, "text-anchor": sign < 0 ? "end" : "start" }, shortened(nameOf(one.item), letters))));
    });
  }
  nodes.push(svg("circle", { class: "node middle", cx: middle.x, cy: middle.y, r: 12 }),
    svg("text", { x: middle.x, y: middle.y + 30, "text-anchor": "middle" }, shortened(name, 16)));
  return svg("svg", {
    viewBox: `0 0 ${width} ${height}`, height, role: "group",
    "aria-label": `${after.length} items are clicked after it, ${close.length} close to it`,
  }, parts, nodes);
}

function said(item) {
  return item.title ? `${item.title} (${item.item_id})` : item.item_id;
}

function shortened(text, letters) {
  const all = [...text];
  return all.length > letters ? `${all.slice(0, letters - 1).join("")}…` : text;
}
