// A search field: what is found below it is a list of links or buttons.

import { ask, part } from "./api.js";
import { el, renew } from "./dom.js";

const WAIT_MILLISECONDS = 150;

/** Return popular items by the beginning of an id, or of words of a title. */
export async function findItems(text, count, visit) {
  return (await ask(`/v1/items?k=${count}&prefix=${part(text)}`, visit)).items;
}

export function itemsHeading(text) {
  return `Popular items with an id or a title like ${text}`;
}

/** Return the item that somebody means who wrote `text`: an id, else the first with such a title. */
export async function meantItem(text, visit) {
  const [first] = await findItems(text, 1, visit);
  const byTitle = first !== undefined && !first.item_id.startsWith(text);
  return byTitle || first?.item_id === text ? first : { item_id: text, title: null };
}

/**
 * Return a search field.
 *
 * label: above the field; submit(text): on Enter, may take time; find(text): resolves to what to show;
 * entry(found): the element of one; heading(text): above these.
 */
export function searchField({ label, text = "", submit, find, entry, heading }, visit) {
  const input = el("input", {
    type: "search", autocomplete: "off", spellcheck: "false", value: text, maxlength: "256",
  });
  const found = el("div");
  const count = el("p", { class: "hidden", role: "status" });
  let timer = 0;
  let asked = 0;

  const look = () => visit.attempt(async () => {
    const mine = asked += 1;
    const wanted = input.value.trim();
    const results = await find(wanted);
    if (mine !== asked || visit.signal.aborted) return;
    if (document.activeElement === input) count.textContent = `${results.length} found`;
    renew(found, [wanted, results], () => [
      el("p", { class: "soft small" }, results.length ? heading(wanted) : "Nothing begins like this."),
      el("ul", { class: "chips" }, results.map((one) => el("li", {}, entry(one)))),
    ]);
  }, "search");

  const form = el("form", {
    class: "search", role: "search",
    onsubmit: (event) => {
      event.preventDefault();
      const wanted = input.value.trim();
      if (wanted) visit.attempt(async () => submit(wanted), "search");
    },
  }, el("label", {}, label, input), el("button", { type: "submit", class: "main" }, "Show"));
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MILLISECONDS);
  });
  look();
  return [form, count, found];
}
