// Now: what goes through, how fresh it is, what needs somebody.

import { ask } from "./api.js";
import { el, number, percent, renew, rough, short, svg, time } from "./dom.js";

const POLL_SECONDS = 2;
const ROLES = ["ingest", "trainer", "publisher"];
const KEPT = 90;
const SHOWN_EVENTS = 30;
export const KINDS = {
  promotion: "new model", rollback: "rollback", drift: "drift", alarm: "alarm", "alarm-over": "over",
};

export function show(main, _about, visit) {
  const alarms = el("div", { role: "status", "aria-live": "polite" });
  const figures = el("dl", { class: "figures" });
  const spark = el("div", { class: "spark" });
  const roles = el("ul", { class: "chips" });
  const events = el("ol", { class: "events" });
  const cells = new Map();
  const rates = [];
  main.append(
    el("h1", {}, "What goes on now"),
    alarms, figures,
    el("div", { class: "two" },
      el("div", {},
        el("section", { class: "card", "aria-labelledby": "roles" },
          el("h2", { id: "roles" }, "Roles"), roles),
        el("section", { class: "card", "aria-labelledby": "rate" },
          el("h2", { id: "rate" }, "Clicks per second since you look"), spark)),
      el("section", { class: "card", "aria-labelledby": "events" },
        el("h2", { id: "events" }, "What happened"), events)));

  const figure = (name, value, note = "") => {
    if (!cells.has(name)) {
      const cell = [el("dd"), el("dd", { class: "note" })];
      cells.set(name, cell);
      figures.append(el("div", {}, el("dt", {}, name), cell));
    }
    const [large, small] = cells.get(name);
    if (large.textContent !== value) large.textContent = value;
    if (small.textContent !== note) small.textContent = note;
  };

  visit.repeat(POLL_SECONDS, async () => {
    const [status, happened] = await Promise.all([
      ask("/v1/status", visit), ask("/v1/events", visit),
    ]);
    if (visit.signal.aborted) return;
    const [clicks, sequences, lists] = Object.values(status.topics);
    const age = (moment) => status.generated_at - moment;
    const told = status.roles;
    figure("Clicks per second", rough(clicks.per_second), `${number(clicks.records)} on the topic`);
    figure("Lists per second", rough(lists.per_second), `${number(lists.records)} on the topic`);
    figure("Waiting", number((clicks.lag ?? 0) + (sequences.lag ?? 0)),
      `clicks ${lag(clicks)}, sequences ${lag(sequences)}`);
    figure("Click to list", told?.click_to_list_seconds_p50 == null
      ? "–" : `${number(told.click_to_list_seconds_p50, 2)} s`,
    told?.click_to_list_seconds_p99 == null
      ? "" : `99 of 100 within ${number(told.click_to_list_seconds_p99, 2)} s`);
    figure("Model", status.model_version ? `№ ${status.model_version}` : "none yet",
      status.model_created_at ? `made ${short(age(status.model_created_at))} ago` : "counters alone");
    figure("Age of counters", status.view_created_at ? short(age(status.view_created_at)) : "none yet",
      status.view_created_at ? "since they were made" : "");
    figure("Catalogue", number(status.items), `items; about ${number(status.users)} users`);
    if (told) {
      figure("Clicked what was shown", told.served_hit_rate === null ? "–" : percent(told.served_hit_rate),
        "of recent clicks, item on the list");
    }
    renew(alarms, status.alarms.map((one) => one.text), () => state(status.alarms));
    renew(roles, told?.answering ?? null, () => chips(told));
    renew(events, happened.events.slice(0, SHOWN_EVENTS), () => eventRows(happened.events));
    rates.push(clicks.per_second);
    if (rates.length > KEPT) rates.shift();
    spark.replaceChildren(sparkline(rates));
  });
}

function lag(topic) {
  return topic.lag === null ? "?" : number(topic.lag);
}

function state(alarms) {
  if (!alarms.length) return el("div", { class: "state" }, el("strong", {}, "All is well"));
  const word = alarms.length === 1 ? "1 alarm" : `${alarms.length} alarms`;
  return el("div", { class: "state wrong" }, el("strong", {}, word),
    el("ul", {}, alarms.map((alarm) => el("li", {}, alarm.text))));
}

function chips(told) {
  const chip = (name, up) => el("li", { class: up ? "up" : "down" }, `${name} ${up ? "up" : "does not answer"}`);
  const others = told
    ? ROLES.map((role) => chip(role, told.answering.includes(role)))
    : [el("li", {}, "the others are not asked (serve.scrape_roles)")];
  return [...others, chip("serve", true)];
}

export function eventRows(events) {
  if (!events.length) return el("li", {}, "Nothing yet.");
  return events.slice(0, SHOWN_EVENTS).map((event) => el("li", {},
    time(event.at), el("span", { class: `kind ${event.kind}` }, KINDS[event.kind]),
    el("span", {}, event.text)));
}

function sparkline(values) {
  const most = Math.max(1e-9, ...values);
  const step = 300 / (KEPT - 1);
  const drawn = values.length > 1 ? values : [values[0], values[0]]; // one moment alone draws no line
  const path = drawn.map((value, at) => `${at ? "L" : "M"}${(at * step).toFixed(1)} ${(38 - 36 * value / most).toFixed(1)}`);
  const label = `From ${rough(Math.min(...values))} to ${rough(most)} clicks per second, now ${rough(values.at(-1))}.`;
  return svg("svg", { viewBox: "0 0 300 40", height: "48", preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("path", { d: path.join(""), "vector-effect": "non-scaling-stroke" }));
}
