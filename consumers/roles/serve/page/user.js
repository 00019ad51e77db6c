// User: what somebody clicked, and what they get for it.

import { ask, part } from "./api.js";
import { el, itemName, link, renew, span, time } from "./dom.js";
import { listed } from "./listed.js";
import { searchField } from "./search.js";

const POLL_SECONDS = 3;
const FOUND = 12;
const SHOWN_CLICKS = 40;
const GAP_SECONDS = 120;
const RENEWED_SECONDS = 30;

export function show(main, about, visit) {
  const search = searchField({
    label: "User id",
    text: about,
    submit: (text) => { location.hash = `#/user/${part(text)}`; },
    find: async (text) => (await ask(`/v1/users?k=${FOUND}&prefix=${part(text)}`, visit)).user_ids,
    entry: (id) => link("user", id),
    heading: (text) => (text ? `Users that begin with ${text}` : "Who clicked last"),
  }, visit);
  main.append(el("h1", {}, about ? `User ${about}` : "Look at a user"),
    el("section", { class: "card", "aria-label": "Find a user" }, search));
  if (!about) return;

  const facts = el("p", { class: "soft" });
  const clicks = el("div");
  const list = el("div");
  main.append(facts, el("div", { class: "two" },
    el("section", { class: "card", "aria-labelledby": "clicks" },
      el("h2", { id: "clicks" }, "Clicks, newest first"), clicks),
    el("section", { class: "card", "aria-labelledby": "list" },
      el("h2", { id: "list" }, "Their list now, and why"), list)));

  let newest = null;
  visit.repeat(POLL_SECONDS, async () => {
    const user = await ask(`/v1/users/${part(about)}`, visit).catch((error) => {
      if (error.status === 404) return null;
      throw error;
    });
    if (visit.signal.aborted) return;
    facts.textContent = user ? sent(user) : "Nothing is known of this user: they get the default list.";
    renew(clicks, user?.clicks ?? [], () => timeline(user?.clicks ?? [], user?.seen_before ?? 0));
    const state = `${user?.source_offset} ${Math.floor(Date.now() / (1000 * RENEWED_SECONDS))}`;
    if (state === newest) return; // explaining costs more than a look: after a click, or a while
    const answer = await ask(`/v1/users/${part(about)}/recommendations?explain=true`, visit);
    if (visit.signal.aborted) return;
    newest = state;
    renew(list, answer.items, () => [listed(answer.items)]);
  });
}

function sent(user) {
  const clicked = `${user.clicks.length} clicks in the buffer, ${user.seen_before} more items remembered.`;
  if (!user.list) return `${clicked} No list was sent yet.`;
  const late = user.list.knows_newest_click ? "knows the newest click" : "does not know the newest click yet";
  const model = user.list.model_version ? `model ${user.list.model_version}` : "counters alone";
  return `${clicked} The list sent last is by ${model} and ${late}.`;
}

function timeline(clicks, before) {
  if (!clicks.length) return el("p", {}, "No click is known.");
  const rows = [];
  const shown = clicks.slice(-SHOWN_CLICKS).reverse();
  shown.forEach((click, at) => {
    const pause = at ? shown[at - 1].timestamp - click.timestamp : 0;
    if (pause >= GAP_SECONDS) rows.push(el("li", { class: "gap" }, `${span(pause)} before`));
    rows.push(el("li", {}, itemName(click), " ",
      el("span", { class: "small" }, `${click.event}, `, time(click.timestamp))));
  });
  const more = clicks.length - shown.length + before;
  if (more) rows.push(el("li", { class: "gap" }, `${more} older`));
  return el("ol", { class: "timeline" }, rows);
}
