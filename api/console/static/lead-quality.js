// Figures of people's work: agreement, checks, skips, flags and pace.

import { el } from "./dom.js";
import { bars } from "./lead-charts.js";
import { card, chart, key, name, nothing, table } from "./lead-cards.js";
import { minutes, percent, score, sentence, whole } from "./lead-format.js";

const TENTATIVE = 0.667;
const RELIABLE = 0.8;
const PAIRS = 10;

/** Krippendorff's words for his alpha. */
function verdict(alpha) {
  if (alpha === null || alpha === undefined) return null;
  if (alpha >= RELIABLE) return { look: "good", text: "reliable" };
  return alpha >= TENTATIVE ? { look: "warn", text: "tentative" } : { look: "bad", text: "low" };
}

/** How far people agree, over all and label by label. */
export function agreement({ people, metrics, api }) {
  const found = people?.agreement;
  const names = new Map(metrics.balance.classes.map((c) => [c.id, c.name]));
  const labels = Object.entries(found?.per_label ?? {});
  const known = labels.filter(([, row]) => row.alpha !== null);
  const whole_ = verdict(found?.alpha);
  const some = found?.items > 0;
  return card({
    id: "agreement",
    title: "Agreement",
    said: some
      ? [
          `Krippendorff's alpha ${score(found.alpha)} `,
          whole_ ? el("span", { class: `badge ${whole_.look}` }, whole_.text) : "",
          `, Cohen's kappa ${score(found.kappa)}. ${whole(found.raters)} people answered ${whole(found.items)} texts at least twice, ${whole(found.agreed)} of them all alike.`,
        ]
      : "No text has been answered by two people yet. Overlap and double labelling are settings of the session.",
    body: some
      ? [
          known.length
            ? chart((width) => bars(width, {
                said: "Bars: alpha of each label; the stroke is where it counts as reliable.",
                unit: "alpha (0 = as by chance, 1 = always agree)", format: (v) => v.toFixed(2), wholes: false, most: 1.12,
                rows: known.map(([id, row]) => ({
                  name: names.get(id) ?? id, target: RELIABLE, note: score(row.alpha),
                  parts: [{ value: Math.max(0, row.alpha), series: 1 }],
                })),
              }))
            : nothing("There are too few shared answers for figures by label."),
          known.length ? key([{ look: "fill", series: 1, name: "alpha" }, { look: "target", name: "0.8: reliable" }]) : null,
        ].filter(Boolean)
      : [],
    note: some && found.reason ? sentence(found.reason) : null,
    behind: some
      ? [
          pairs(people.disagreements ?? [], names),
          table("Agreement by label", [{ name: "Label" }, { name: "Alpha", number: true }, { name: "Kappa", number: true }],
            labels.map(([id, row]) => [name(names.get(id) ?? id), score(row.alpha), score(row.kappa)]), { seen: true }),
        ].filter(Boolean)
      : [],
    json: `${api}/quality`,
  });
}

/** Which labels are taken for which. */
function pairs(found, names) {
  const said = (answer) => answer.split(" + ").map((id) => names.get(id) ?? id).join(" + ");
  return found.length
    ? table("Answers that differ most often", [{ name: "One answer" }, { name: "Another" }, { name: "Texts", number: true }],
        found.slice(0, PAIRS).map((row) => [name(said(row.labels[0])), name(said(row.labels[1])), whole(row.items)]), { seen: true })
    : null;
}

/** Check items, skips, flags and pace. */
export function checks({ people, metrics, api, base }) {
  const found = people?.checks;
  const names = new Map(metrics.balance.classes.map((c) => [c.id, c.name]));
  const byLabel = Object.entries(found?.by_label ?? {});
  const persons = found?.by_person ?? [];
  const pace = people?.throughput;
  return card({
    id: "checks",
    title: "Checks, flags and pace",
    said: found?.answered
      ? `${whole(found.right)} of ${whole(found.answered)} hidden check items were answered right (${percent(found.right / found.answered)}).`
      : "No check item has been answered. They are rows with the split check, and a setting says how many people get.",
    body: [
      el(
        "dl",
        { class: "facts" },
        ...fact("Answers, last hour", whole(pace?.answered_1h)),
        ...fact("Answers, last day", whole(pace?.answered_24h)),
        ...fact("Median time of an answer", minutes(known(pace?.median_ms) ? pace.median_ms / 60000 : null)),
        ...fact("Skips", tally(people?.skips)),
        ...fact("Open flags", el("a", { href: `${base}/flags` }, whole(people?.flags?.open ?? 0))),
        ...fact("Flags by reason", reasons(people?.flags?.by_reason)),
      ),
      found?.answered
        ? table("Checks by label", [{ name: "Label" }, { name: "Answered", number: true }, { name: "Right", number: true }],
            byLabel.map(([id, row]) => [name(names.get(id) ?? id), whole(row.answered), percent(row.answered ? row.right / row.answered : null)]))
        : null,
      persons.length
        ? el("details", {}, el("summary", {}, "By person"),
            el("p", { class: "soft small" }, "For coaching, not for ranking: a few check items say little about anybody."),
            table("Checks by person", [{ name: "Person" }, { name: "Answered", number: true }, { name: "Right", number: true }],
              persons.map((row) => [name(row.name ?? row.annotator_id), whole(row.answered), percent(row.answered ? row.right / row.answered : null)])))
        : null,
    ].filter(Boolean),
    json: `${api}/quality`,
  });
}

const known = (value) => value !== null && value !== undefined;
const fact = (term, value) => [el("dt", {}, term), el("dd", { class: "number" }, value)];

function reasons(found) {
  const rows = Object.entries(found ?? {}).filter(([, n]) => n);
  return rows.length ? rows.map(([reason, n]) => `${sentence(reason)}: ${whole(n)}`).join(", ") : "none";
}

function tally(skips) {
  const numbers = Object.values(skips ?? {}).filter(Number.isFinite);
  return whole(skips?.total ?? numbers.reduce((sum, n) => sum + n, 0));
}
