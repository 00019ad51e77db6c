// Lists of items, with the reason of each.

import { bar, el, itemName, percent, rough } from "./dom.js";

/**
 * Return a list of explained items.
 *
 * moved(id, rank): what changed, as an element, or null; action(item): a button, or null.
 */
export function listed(items, { moved = () => null, action = () => null } = {}) {
  if (!items.length) return el("p", {}, "The list is empty: nothing is left to show.");
  return el("ol", { class: "listed" }, items.map((item, at) => el("li", {},
    el("span", { class: "rank" }, `${at + 1}`),
    el("span", { class: "name" }, itemName(item), moved(item.item_id, at)),
    el("span", {}, el("span", { class: "score", title: "score; compares only within this list" }, rough(item.score)), " ", action(item)),
    el("span", { class: "why" }, item.words),
    share(item.reason.sequence_share))));
}

function share(sequence) {
  if (sequence === null) return null;
  const words = `sequence ${percent(sequence)}, graph ${percent(1 - sequence)}`;
  return el("span", { class: "share" }, bar(sequence), words);
}
