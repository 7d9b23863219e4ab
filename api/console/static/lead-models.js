// Figures of the models: the learning curve, confusions by round, calibration, stopping.

import { el } from "./dom.js";
import { lines } from "./lead-charts.js";
import { card, chart, key, name, nothing, table } from "./lead-cards.js";
import { percent, score, sentence, whole, words } from "./lead-format.js";

/** The model a person looks at, kept when the figures are drawn again. */
const chosen = { model: null };
const OURS = 1;
const CHANCE = 2;
const ROWS = { test: "test rows", holdout: "held-out labels", nothing: "nothing" };

const bounds = (pairs) => {
  const low = Math.min(...pairs.flat());
  const high = Math.max(...pairs.flat());
  return [Math.max(0, Math.floor((low - 0.02) * 10) / 10), Math.min(1, Math.ceil((high + 0.02) * 10) / 10)];
};

/** Macro-F1 against labels bought, with its interval, beside a random choice. */
export function curve({ learning, api }) {
  const scored = learning.models.filter((model) => model.macro_f1 !== null);
  const last = scored.at(-1);
  const chance = learning.random_baseline;
  const points = (models) =>
    models.map((model) => ({ x: model.labels, y: model.macro_f1, low: model.interval?.[0], high: model.interval?.[1] }));
  const series = [
    ...["test", "holdout"].map((rows, n) => ({
      name: `this session, on ${ROWS[rows]}`, series: n ? 3 : OURS, mark: n ? 3 : 0,
      points: points(scored.filter((model) => model.evaluated_on === rows)),
    })),
    ...chance.sessions.map((other) => ({
      name: "random choice", series: CHANCE, mark: 1, dashed: true,
      points: points(other.models.filter((model) => !last || model.evaluated_on === last.evaluated_on)),
    })),
  ].filter((row) => row.points.length);
  const spans = series.flatMap((row) => row.points.map((p) => [p.low ?? p.y, p.high ?? p.y]));
  const [low, high] = spans.length ? bounds(spans) : [0, 1];
  const spread = scored.some((model) => model.interval);
  return card({
    id: "curve",
    title: "Learning curve",
    said: last
      ? `Macro-F1 ${score(last.macro_f1)}${last.interval ? ` (95 % interval ${score(last.interval[0])} to ${score(last.interval[1])})` : ""} after ${whole(last.labels)} labels, on ${ROWS[last.evaluated_on]}.`
      : "No model has a score yet.",
    body: last
      ? [
          chart((width) => lines(width, {
            said: "Lines: macro-F1 by labels bought, with a band for the 95 % interval.",
            series, low, high, xName: "labels", yName: "macro-F1", format: (v) => v.toFixed(2),
          })),
          key([
            ...series.filter((row, n) => series.findIndex((other) => other.name === row.name) === n)
              .map((row) => ({ look: "line", series: row.series, kind: row.mark, dashed: row.dashed, name: row.name })),
            spread ? { look: "band", series: OURS, name: "95 % interval" } : null,
          ].filter(Boolean)),
        ]
      : [],
    note: [chance.why, spread ? ` The interval: ${learning.interval.method}.` : ""],
    behind: last
      ? [
          table(
            "Learning curve",
            [{ name: "Model" }, ...["Labels", "Generated", "Macro-F1", "95 % interval", "Accuracy"].map((n) => ({ name: n, number: true })), { name: "Scored on" }],
            scored.map((model) => [
              `${model.version}${model.state === "active" ? " (active)" : ""}`, whole(model.labels), whole(model.generated), score(model.macro_f1),
              between(model.interval), percent(model.accuracy), ROWS[model.evaluated_on],
            ]),
          ),
          ...chance.sessions.map((other) =>
            table(
              `Random choice: ${other.name}`,
              [{ name: "Model" }, { name: "Labels", number: true }, { name: "Macro-F1", number: true }, { name: "95 % interval", number: true }],
              other.models.map((model) => [String(model.version), whole(model.labels), score(model.macro_f1), between(model.interval)]),
              { seen: true },
            )),
        ]
      : [],
    json: `${api}/metrics/learning-curve`,
    pictures: [`${api}/plots/curve`],
  });
}

const between = (interval) => (interval ? `${score(interval[0])} to ${score(interval[1])}` : "–");
const STEPS = 8;
const shade = (share, tone) => `heat ${tone}${Math.round(STEPS * Math.min(1, share))}`;

/** Which class was taken for which, of the model that is chosen. */
export function confusion({ quality, api }) {
  const scored = quality.models.filter((model) => model.macro_f1 !== null);
  const names = new Map(quality.classes.map((c) => [c.id, c.name]));
  const first = scored.find((model) => model.model_id === chosen.model) ?? scored.at(-1);
  const host = el("div", { class: "stack" });
  const chooser = el(
    "select",
    { id: "confusion-model", onchange: () => { chosen.model = chooser.value; show(scored.find((model) => model.model_id === chosen.model)); } },
    ...[...scored].reverse().map((model) => el("option", { value: model.model_id, selected: model === first }, `Round ${model.round}: model ${model.version}${model.state === "active" ? " (active)" : ""}`)),
  );
  function show(model) {
    host.replaceChildren(model.confusion ? matrix(model, names) : nothing(
      model.per_class.length ? "A set of labels has no single table of confusions; see the recall below." : "Nothing was held out for this model.",
    ));
  }
  if (first) show(first);
  return card({
    id: "confusion",
    wide: true,
    title: "Confusions by round",
    said: first ? worst(first, names) : "No model has been scored yet.",
    body: first
      ? [el("div", { class: "pick" }, el("label", { for: "confusion-model" }, "Model"), chooser), host, recall(scored, names)]
      : [],
    json: `${api}/metrics/models`,
  });
}

function worst(model, names) {
  if (!model.confusion) return null;
  let found = { n: 0 };
  model.confusion.forEach((row, truth) =>
    row.forEach((n, said) => {
      if (truth !== said && n > found.n) found = { n, truth, said };
    }));
  const id = (place) => name(names.get(model.per_class[place].id));
  return found.n
    ? ["Most often confused: ", id(found.truth), " taken for ", id(found.said), ` (${whole(found.n)} of ${whole(model.per_class[found.truth].support)} texts).`]
    : `All ${whole(model.rows)} texts were put in the right class.`;
}

function matrix(model, names) {
  const classes = model.per_class.map((c) => names.get(c.id));
  const rows = model.confusion.map((row, n) => {
    const total = model.per_class[n].support;
    return [
      name(classes[n]),
      ...row.map((count, k) => ({
        node: whole(count), look: total ? shade(count / total, n === k ? "right" : "wrong") : "",
      })),
      percent(total ? row[n] / total : null),
    ];
  });
  const heads = [{ name: "True class, read across" }, ...classes.map((c) => ({ name: name(c), number: true })), { name: "Recall", number: true }];
  return table(`Rows are the true class, columns what model ${model.version} said, over ${whole(model.rows)} texts`, heads, rows, { seen: true, extra: "matrix" });
}

function recall(scored, names) {
  const shown = scored.slice(-8);
  const ids = shown.at(-1).per_class.map((c) => c.id);
  const of = (model, id) => model.per_class.find((c) => c.id === id);
  return table(
    "Recall of each class by model",
    [{ name: "Class" }, ...shown.map((model) => ({ name: `Round ${model.round}`, number: true }))],
    ids.map((id) => [
      name(names.get(id)),
      ...shown.map((model) => {
        const found = of(model, id);
        return found?.support ? { node: percent(found.recall), look: shade(found.recall, "right") } : "–";
      }),
    ]),
    { seen: true, extra: "matrix" },
  );
}

/** Whether the model is as often right as it is sure. */
export function calibration({ quality, api }) {
  const scored = quality.models.filter((model) => model.calibration_error !== null && model.calibration_error !== undefined);
  const last = scored.at(-1);
  const bins = last?.calibration ?? null;
  return card({
    id: "calibration",
    title: "Calibration",
    said: last
      ? `Model ${last.version} says ${lean(bins)} it should: ${Math.round(100 * last.calibration_error)} points lie between how sure it is and how often it is right, on average.`
      : "No model has been scored yet.",
    body: bins?.length
      ? [
          chart((width) => lines(width, {
            said: "Dots: how often the model was right, by how sure it was; on the line it is calibrated.",
            xName: "how sure", yName: "how often right", low: 0, high: 1, xRange: [0, 1], wholes: false, diagonal: true,
            format: (v) => v.toFixed(1), xFormat: (v) => v.toFixed(2),
            series: [{
              name: "bins", series: OURS, unjoined: true,
              points: bins.map((bin) => ({
                x: bin.confidence, y: bin.accuracy, r: 3 + 9 * Math.sqrt(bin.rows / Math.max(...bins.map((b) => b.rows))),
                said: `right in ${percent(bin.accuracy)} of ${whole(bin.rows)}`,
              })),
            }],
          })),
          key([{ look: "dot", series: OURS, name: "texts in the bin (larger = more)" }, { look: "guide", name: "as sure as right" }]),
        ]
      : [last ? nothing("This model was trained before bins were kept.") : null].filter(Boolean),
    behind: bins?.length
      ? [
          table(
            `Calibration of model ${last.version}`,
            [{ name: "How sure" }, ...["Texts", "Mean confidence", "Right"].map((n) => ({ name: n, number: true }))],
            bins.map((bin) => [`${bin.low.toFixed(2)} to ${bin.high.toFixed(2)}`, whole(bin.rows), score(bin.confidence), percent(bin.accuracy)]),
          ),
        ]
      : [],
    json: `${api}/metrics/models`,
  });
}

/** Whether the bins lie above or below the line, by their rows. */
function lean(bins) {
  const gap = (bins ?? []).reduce((sum, bin) => sum + bin.rows * (bin.accuracy - bin.confidence), 0);
  return gap >= 0 ? "lower chances than" : "higher chances than";
}

/** What the stopping criteria say. */
export function stopping({ metrics, api }) {
  const found = metrics.stopping.criteria;
  const stop = found.filter((row) => row.stop).length;
  return card({
    id: "stopping",
    title: "Is it time to stop?",
    said: metrics.stopping.rows ? `${stop} of ${found.length} criteria say that more labels would change little.` : "There is no model to judge by yet.",
    body: metrics.stopping.rows ? [
      table(
        "Stopping criteria",
        [{ name: "Criterion" }, { name: "Value", number: true }, { name: "Says" }],
        found.map((row) => [
          el("div", {}, sentence(row.criterion), el("div", { class: "soft small plain" }, words(row.why))),
          score(row.models.at(-1)?.value),
          el("span", { class: row.stop ? "badge good" : "badge" }, row.stop ? "stop" : "go on"),
        ]),
      ),
    ] : [],
    json: `${api}/metrics`,
  });
}
