// A search field: what is found below it is a list of links or buttons.

import { el, renew } from "./dom.js";

const WAIT_MILLISECONDS = 150;

/**
 * Return a search field.
 *
 * label: above the field; submit(text): on Enter; find(text): resolves to what to show;
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
      if (wanted) submit(wanted);
    },
  }, el("label", {}, label, input), el("button", { type: "submit", class: "main" }, "Show"));
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MILLISECONDS);
  });
  look();
  return [form, count, found];
}
