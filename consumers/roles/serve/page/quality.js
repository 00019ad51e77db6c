// Quality: how often the next click was among the ten best, over time.

import { ask } from "./api.js";
import { el, number, percent, renew } from "./dom.js";
import { eventRows } from "./now.js";
import { linePlot } from "./plot.js";

const POLL_SECONDS = 5;
const MODELS = { joint: "model", graph: "item graph alone", popularity: "popularity alone" };
const MARKS = ["promotion", "rollback", "drift"];

export function show(main, _about, visit) {
  const hits = el("div");
  const gains = el("div");
  const marks = el("ol", { class: "events" });
  const lead = el("p", { class: "soft" });
  main.append(
    el("h1", {}, "How good are the lists?"), lead,
    el("section", { class: "card", "aria-labelledby": "hits" },
      el("h2", { id: "hits" }, "Hit rate: the next click was among the ten best"), hits),
    el("section", { class: "card", "aria-labelledby": "gains" },
      el("h2", { id: "gains" }, "NDCG: the same, with more weight on high ranks"), gains),
    el("section", { class: "card", "aria-labelledby": "marks" },
      el("h2", { id: "marks" }, "New models, rollbacks, drift"), marks));

  visit.repeat(POLL_SECONDS, async () => {
    const [quality, happened] = await Promise.all([ask("/v1/quality", visit), ask("/v1/events", visit)]);
    if (visit.signal.aborted) return;
    const events = happened.events.filter((event) => MARKS.includes(event.kind));
    const { points } = quality;
    const tested = points.at(-1)?.clicks_tested ?? 0;
    lead.textContent = points.length
      ? `Each click is ranked before anything learns from it; ${number(tested)} were tested so far. Each point tells of the clicks just before it.`
      : "Nothing was tested yet, or the trainer is not asked (serve.scrape_roles). The first points come with the first clicks.";
    const key = [points.at(-1)?.at ?? 0, events.length];
    renew(hits, key, () => (points.length ? [linePlot({
      title: "Hit rate at 10", format: percent, marks: events,
      series: [...series(points, "hit_rate_at_10"), ...served(points)],
    })] : [el("p", {}, "No points yet.")]));
    renew(gains, key, () => (points.length ? [linePlot({
      title: "NDCG at 10", format: (value) => value.toFixed(3), marks: events,
      series: series(points, "ndcg_at_10"),
    })] : [el("p", {}, "No points yet.")]));
    renew(marks, events, () => eventRows(events));
  });
}

function series(points, what) {
  return Object.entries(MODELS).map(([model, name]) => ({
    name, points: points.map((point) => [point.at, point[what][model] ?? null]),
  }));
}

/** People may not have clicked on any list yet. */
function served(points) {
  const rates = points.map((point) => [point.at, point.served_hit_rate]);
  if (rates.every((rate) => rate[1] === null)) return [];
  return [{ name: "clicked what was really shown", points: rates }];
}
