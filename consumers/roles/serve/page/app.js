// Shows the view that the address names, and everything around it.

import { askTokenWith } from "./api.js";
import { el } from "./dom.js";

const VIEWS = {
  now: ["Now", () => import("./now.js")],
  quality: ["Quality", () => import("./quality.js")],
  user: ["User", () => import("./user.js")],
  item: ["Item", () => import("./item.js")],
  try: ["Try", () => import("./try.js")],
};
const COLOURS = "gsr-colours";
const main = document.getElementById("main");
let leave = new AbortController();
let first = true;

/** What a view may use as long as it is shown. */
class Visit {
  #troubles = new Map();

  constructor(signal) {
    this.signal = signal;
    this.trouble = el("p", { class: "state wrong", role: "alert", hidden: true });
    main.prepend(this.trouble);
  }

  /** Do some work, and tell of what went wrong until work of the same name goes well. */
  async attempt(work, name = "") {
    try {
      await work();
      this.#troubles.delete(name);
    } catch (error) {
      if (this.signal.aborted || error.name === "AbortError") return;
      if (error.kind === undefined) console.error(error);
      this.#troubles.set(name, error.message);
    }
    const [text] = this.#troubles.values();
    this.trouble.hidden = text === undefined;
    if (text !== undefined && this.trouble.textContent !== text) this.trouble.textContent = text;
  }

  /** Do some work now, and again `seconds` after each time; a hidden page rests. */
  async repeat(seconds, work) {
    while (!this.signal.aborted) {
      if (!document.hidden || !main.dataset.shown) await this.attempt(work);
      main.dataset.shown = "true";
      await new Promise((go) => { setTimeout(go, 1000 * seconds); });
    }
  }
}

async function show() {
  const [, name, ...rest] = location.hash.split("/");
  const [title, load] = VIEWS[name] ?? VIEWS.now;
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const view = await load();
  if (signal.aborted) return;
  const about = decoded(rest.join("/"));
  document.title = about ? `${about} – ${title} – gsr` : `${title} – gsr`;
  for (const one of document.querySelectorAll("nav a")) {
    if (one.textContent === title) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  main.replaceChildren();
  delete main.dataset.shown;
  main.dataset.view = name in VIEWS ? name : "now";
  view.show(main, about, new Visit(signal));
  if (!first) {
    window.scrollTo(0, 0);
    main.focus();
  }
  first = false;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function choose(colours) {
  if (colours) document.documentElement.dataset.colours = colours;
  else delete document.documentElement.dataset.colours;
}

askTokenWith(() => new Promise((give) => {
  const dialog = document.getElementById("token");
  const text = document.getElementById("token-text");
  text.value = "";
  const closed = () => {
    const given = text.value.trim();
    if (!given) {
      dialog.showModal(); // closed by Escape: there is nothing to see without it
      return;
    }
    dialog.removeEventListener("close", closed);
    give(given);
  };
  dialog.addEventListener("close", closed);
  dialog.showModal();
}));

const select = document.getElementById("colours");
select.value = localStorage.getItem(COLOURS) ?? "";
choose(select.value);
select.addEventListener("change", () => {
  localStorage.setItem(COLOURS, select.value);
  choose(select.value);
});
document.getElementById("skip").addEventListener("click", () => main.focus());
window.addEventListener("hashchange", show);
show();
