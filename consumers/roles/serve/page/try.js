// Try: click items together as an imaginary user, and watch the list change.

import { ask } from "./api.js";
import { el, nameOf } from "./dom.js";
import { listed } from "./listed.js";
import { findItems, itemsHeading, meantItem, searchField } from "./search.js";

const FOUND = 12;
const LENGTH = 12;
const MOST_CLICKS = 50;
let clicks = []; // items; they stay while one looks at something else
let before = null; // item -> rank in the list before

export function show(main, _about, visit) {
  const session = el("div");
  const list = el("div");
  const said = el("p", { class: "soft", role: "status" });
  const search = searchField({
    label: "Find an item by its id or title",
    submit: async (text) => add(await meantItem(text, visit)),
    find: (text) => findItems(text, FOUND, visit),
    entry: (item) => clickButton(item, nameOf(item)),
    heading: (text) => (text ? itemsHeading(text) : "Popular now: click some"),
  }, visit);
  search[0].querySelector("button").textContent = "Click it";
  main.append(
    el("h1", {}, "Be somebody else"),
    el("p", { class: "soft" }, "Click items as an imaginary user. Nothing is stored and nothing learns from it."),
    el("div", { class: "two" },
      el("div", {},
        el("section", { class: "card", "aria-labelledby": "pick" }, el("h2", { id: "pick" }, "Items"), search),
        el("section", { class: "card", "aria-labelledby": "session" }, el("h2", { id: "session" }, "Clicked, oldest first"), session)),
      el("section", { class: "card", "aria-labelledby": "list" }, el("h2", { id: "list" }, "What this user gets"), said, list)));

  function clickButton(item, text) {
    return el("button", {
      type: "button", class: "plain", "aria-label": `Click ${nameOf(item)}`, title: item.title && item.item_id,
      onclick: () => add(item),
    }, text);
  }

  function add(item) {
    clicks = [...clicks, item].slice(-MOST_CLICKS);
    rank();
  }

  function remove(at) {
    clicks = clicks.filter((_, place) => place !== at);
    rank();
    (session.querySelector("button") ?? main).focus();
  }

  function drawSession() {
    session.replaceChildren(clicks.length
      ? el("ol", { class: "chips" }, clicks.map((item, at) => el("li", { title: item.title && item.item_id }, `${nameOf(item)} `,
        el("button", { type: "button", class: "plain", "aria-label": `Take ${nameOf(item)} back`, onclick: () => remove(at) }, "×"))))
      : el("p", {}, "Nothing yet."));
    if (clicks.length) {
      session.append(el("button", { type: "button", onclick: () => { clicks = []; rank(); main.focus(); } }, "Begin anew"));
    }
  }

  let asked = 0;
  function rank() {
    const mine = asked += 1;
    drawSession();
    if (!clicks.length) {
      before = null;
      said.textContent = "Without a click there is no session to rank for.";
      list.replaceChildren();
      return;
    }
    visit.attempt(async () => {
      const body = { clicks: clicks.map((item) => ({ item_id: item.item_id })), k: LENGTH, explain: true };
      const answer = await ask("/v1/rank", { ...visit, body });
      if (mine !== asked || visit.signal.aborted) return;
      const earlier = before;
      before = new Map(answer.items.map((item, at) => [item.item_id, at]));
      said.textContent = summary(answer, earlier);
      list.replaceChildren(listed(answer.items, {
        moved: (id, at) => moved(earlier, id, at),
        action: (item) => clickButton(item, "+"),
      }));
    });
  }
  rank();
}

function summary(answer, earlier) {
  const strange = answer.unknown_items.length ? ` Nobody has clicked ${answer.unknown_items.join(", ")}.` : "";
  if (!earlier) return `${answer.items.length} items by ${maker(answer)}.${strange}`;
  const fresh = answer.items.filter((item) => !earlier.has(item.item_id)).length;
  return `${fresh} of ${answer.items.length} items are new on the list.${strange}`;
}

function maker(answer) {
  return answer.model_version ? `model ${answer.model_version}` : "counters alone";
}

function moved(earlier, id, at) {
  if (!earlier) return null;
  const rank = earlier.get(id);
  if (rank === undefined) return el("span", { class: "moved new" }, "new");
  if (rank === at) return null;
  const up = rank > at;
  return el("span", { class: `moved ${up ? "up" : "down"}` }, `${up ? "▲" : "▼"} ${Math.abs(rank - at)}`);
}
