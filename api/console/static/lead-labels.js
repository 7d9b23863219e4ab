// Figures of the labels: balance against the target, evenness by round, the funnel, cost.

import { bars, lines } from "./lead-charts.js";
import { card, chart, key, name, nothing, table } from "./lead-cards.js";
import { dollars, minutes, percent, score, sentence, short, whole } from "./lead-format.js";

const HUMAN = 1;
const WRITTEN = 2;
const PREDICTED = 3;

/** Labels now against the target, and what the model sees in the rest of the pool. */
export function balance({ metrics, api }) {
  const rows = metrics.balance.classes;
  const total = rows.reduce((sum, row) => sum + row.human, 0);
  const predicted = rows.reduce((sum, row) => sum + (row.predicted ?? 0), 0);
  const hasModel = rows.every((row) => row.predicted !== null);
  const some = total + metrics.balance.generated > 0;
  const rarest = [...rows].sort((a, b) => a.human_share - a.target_share - (b.human_share - b.target_share))[0];
  return card({
    id: "balance",
    wide: true,
    title: "Class balance against the target",
    said: total
      ? ["Furthest below its target: ", name(rarest.name), `, ${whole(rarest.human)} of ${whole(total)} labels (${percent(rarest.human_share)}; target ${percent(rarest.target_share)}).`]
      : "Nobody has labelled anything yet.",
    body: [
      twoPlots(
        some
          ? plot("Labelled and generated", (width) => bars(width, {
              said: "Bars: labels by people and kept variations of each class, with the target. The table below has the numbers.",
              unit: "texts",
              rows: rows.map((row) => ({
                name: row.name,
                target: row.target_share * total,
                parts: [{ value: row.human, series: HUMAN }, { value: row.generated, series: WRITTEN, striped: true }],
              })),
            }))
          : plot("Labelled and generated", null, "No labels yet."),
        hasModel && predicted
          ? plot("Predicted in the unlabelled pool", (width) => bars(width, {
              said: "Bars: share of the unlabelled pool that the model puts in each class, with the target.",
              unit: `percent of ${whole(predicted)} ${predicted === metrics.counts.unlabelled ? "texts" : "predicted labels"}`, format: (value) => short(value),
              rows: rows.map((row) => ({
                name: row.name,
                target: 100 * row.target_share,
                note: percent(row.predicted / predicted),
                parts: [{ value: (100 * row.predicted) / predicted, series: PREDICTED }],
              })),
            }))
          : plot("Predicted in the unlabelled pool", null, hasModel ? "No unlabelled text is left." : "There is no model yet."),
      ),
      key([
        { look: "fill", series: HUMAN, name: "labelled by people (or the oracle)" },
        { look: "striped", series: WRITTEN, name: "generated and kept" },
        { look: "fill", series: PREDICTED, name: "predicted by the model" },
        { look: "target", name: "target" },
      ]),
    ],
    behind: [
      table(
        "Class balance",
        [{ name: "Class" }, ...["By people", "Share", "Target", "Generated", "Predicted"].map((n) => ({ name: n, number: true }))],
        rows.map((row) => [
          name(row.name), whole(row.human), percent(row.human_share), percent(row.target_share),
          whole(row.generated), whole(row.predicted),
        ]),
      ),
    ],
    json: `${api}/metrics`,
    pictures: [`${api}/plots/balance`],
  });
}

function plot(title, draw, words = "") {
  const head = document.createElement("h4");
  head.textContent = title;
  const box = document.createElement("div");
  box.append(head, draw ? chart(draw) : nothing(words));
  return box;
}

export function twoPlots(...plots) {
  const box = document.createElement("div");
  box.className = "two";
  box.append(...plots);
  return box;
}

/** Normalised entropy of the labels and the clusters reached, round by round. */
export function evenness({ metrics, api }) {
  const rows = metrics.evenness.filter((row) => row.labels > 0);
  const reached = new Map(metrics.coverage.map((row) => [row.round, row]));
  const last = rows.at(-1);
  return card({
    id: "evenness",
    title: "Evenness and coverage by round",
    said: last
      ? `After round ${last.round} the labels are ${percent(last.normalised_entropy)} even; the spread of the class counts is ${short(last.std)} texts.`
      : "No round has labels yet.",
    body: last
      ? [
          chart((width) => lines(width, {
            said: "Lines: evenness of the labels and share of clusters with a label, by round.",
            xName: "round", yName: "share", low: 0, high: 1, format: (v) => v.toFixed(2),
            series: [
              { name: "evenness", series: 1, points: rows.map((row) => ({ x: row.round, y: row.normalised_entropy })) },
              { name: "clusters with a label", series: 4, points: rows.filter((row) => reached.has(row.round)).map((row) => ({ x: row.round, y: reached.get(row.round).share })) },
            ],
          })),
          key([
            { look: "line", series: 1, name: "evenness (normalised entropy; 1 = perfectly even)" },
            { look: "line", series: 4, name: "clusters with a label" },
          ]),
        ]
      : [],
    behind: last
      ? [
          table(
            "Evenness and coverage by round",
            [{ name: "Round" }, { name: "Chosen by" }, ...["Labels", "Evenness", "Spread", "Clusters reached", "Smallest class"].map((n) => ({ name: n, number: true }))],
            rows.map((row) => [
              String(row.round), row.strategy, whole(row.labels), score(row.normalised_entropy), short(row.std),
              reached.has(row.round) ? `${reached.get(row.round).with_labels} of ${reached.get(row.round).clusters}` : "–",
              whole(row.smallest_count),
            ]),
          ),
        ]
      : [],
    json: `${api}/metrics`,
    pictures: [`${api}/plots/evenness`],
  });
}

const FATES = [
  ["accepted", "kept as written", 5, false],
  ["edited", "kept after a change", 7, false],
  ["proposed", "waiting for review", 6, true],
  ["rejected", "rejected", 2, false],
  ["dropped", "dropped by screening", 8, true],
];

/** What became of every written variation, by template and by class. */
export function funnel({ metrics, api }) {
  const { by_template: templates, by_class: classes } = metrics.generation;
  const sum = (row, fates = FATES) => fates.reduce((total, [fate]) => total + row[fate], 0);
  const all = templates.reduce((total, row) => total + sum(row), 0);
  const kept = templates.reduce((total, row) => total + row.accepted + row.edited, 0);
  const rows = (found, heading) =>
    found.map((row) => ({
      name: row[heading],
      note: `${whole(row.accepted + row.edited)} of ${whole(sum(row))} kept`,
      parts: FATES.map(([fate, , series, striped]) => ({ value: row[fate], series, striped })),
    }));
  const shown = FATES.filter(([fate]) => classes.some((row) => row[fate]) || templates.some((row) => row[fate]));
  const draw = (found) => (width) => bars(width, { rows: found, unit: "variations", said: "Bars: variations by what became of them." , most: Math.max(...found.map((row) => row.parts.reduce((t, p) => t + p.value, 0))) * 1.42 });
  return card({
    id: "funnel",
    wide: true,
    title: "Generation funnel by template",
    said: all ? `${whole(kept)} of ${whole(all)} written variations were kept (${percent(kept / all)}).` : "No variation has been written yet.",
    body: all
      ? [twoPlots(plot("By template", draw(rows(templates, "template"))), plot("By class", draw(rows(classes, "name")))),
         key(shown.map(([, said, series, striped]) => ({ look: striped ? "striped" : "fill", series, name: said })))]
      : [],
    behind: all
      ? [["By template", templates, "template"], ["By class", classes, "name"]].map(([title, found, heading]) =>
          table(
            `Variations ${title.toLowerCase()}`,
            [{ name: title.replace("By ", "").replace(/^./, (l) => l.toUpperCase()) }, { name: "Written", number: true }, ...FATES.map(([, said]) => ({ name: sentence(said), number: true }))],
            found.map((row) => [name(row[heading]), whole(sum(row)), ...FATES.map(([fate]) => whole(row[fate]))]),
          ))
      : [],
    json: `${api}/metrics`,
    pictures: [`${api}/plots/funnel`],
  });
}

/** What a point of macro-F1 cost in labels, minutes and dollars. */
export function price({ cost, api }) {
  const { rows, total } = cost.per_point;
  const each = [
    total?.per_point.labels ? `${short(total.per_point.labels)} labels` : null,
    total?.per_point.minutes ? minutes(total.per_point.minutes) : null,
    total?.per_point.dollars ? dollars(total.per_point.dollars) : null,
  ].filter(Boolean);
  return card({
    id: "cost",
    title: "Cost per F1 point",
    said: each.length
      ? `From the first model to the best, a point of macro-F1 cost ${each.join(" and ")}.`
      : "There are not two models with a gain between them yet.",
    body: rows.length
      ? [
          chart((width) => bars(width, {
            said: "Bars: labels that a point of macro-F1 cost since the first model, by model.",
            unit: "labels per point so far", format: short, wholes: false,
            rows: rows.map((row) => ({
              name: `model ${row.version}`,
              note: row.so_far.labels === null ? "no gain" : `${short(row.so_far.labels)}${width < 420 ? "" : ` (${signed(row.points)} points this round)`}`,
              parts: [{ value: row.so_far.labels ?? 0, series: HUMAN }],
            })),
            most: Math.max(0.1, ...rows.map((row) => row.so_far.labels ?? 0)) * (width < 420 ? 1.2 : 1.8),
          })),
        ]
      : [],
    note: !rows.length ? null : `So far: ${whole(rows.reduce((total, row) => total + row.labels, 0))} labels since the first model, ${cost.total_minutes ? `${minutes(cost.total_minutes)} of people's time` : "no minutes reported"}, ${dollars(cost.total_dollars)} for generation. A point is a hundredth; small gains are within the interval of the curve.`,
    behind: rows.length
      ? [
          table(
            "Cost per F1 point, each model since the one before",
            [{ name: "Model" }, ...["Macro-F1", "Points", "Labels", "Minutes", "Dollars", "Labels per point", "Dollars per point", "Labels per point so far"].map((n) => ({ name: n, number: true }))],
            rows.map((row) => [
              `${row.version} since ${row.since_version}`, score(row.macro_f1), signed(row.points), whole(row.labels), short(row.minutes),
              dollars(row.dollars), short(row.per_point.labels), dollars(row.per_point.dollars), short(row.so_far.labels),
            ]),
          ),
        ]
      : [],
    json: `${api}/metrics/cost`,
    pictures: [`${api}/plots/cost`],
  });
}

const signed = (points) => `${points >= 0 ? "+" : "−"}${Math.abs(points).toFixed(1)}`;
