// Figures of the pool: the cluster map and the learner's doubt.

import { el, say } from "./dom.js";
import { columns, lines } from "./lead-charts.js";
import { card, chart, key, table } from "./lead-cards.js";
import { score, whole } from "./lead-format.js";
import { twoPlots } from "./lead-labels.js";
import { clusterButtons, map, swatch } from "./lead-map.js";
import { fit } from "./lead-svg.js";

const FEW = 60;
/** What a person looks at, kept when the map is drawn again. */
const chosen = { cluster: null };

/** The map of the clusters; `again(batchId)` loads it with another batch ringed. */
export function clusterMap({ clusters, batches, api }, { again }) {
  const shown = clusters.points.length;
  let only = chosen.cluster;
  const host = el("div", { class: "plot map" });
  const buttons = el("div");
  function draw() {
    host.replaceChildren();
    const inner = el("div");
    host.append(inner);
    fit(inner, (width) => map(width, clusters, {
      only, heard: say,
      said: `Map of ${whole(shown)} texts in ${whole(clusters.cluster_count)} clusters. Arrow keys walk through the ringed batch; the table below lists the clusters.`,
    }));
    buttons.replaceChildren(clusters.clusters.length <= FEW ? clusterButtons(clusters, { only, choose }) : el("span"));
  }
  function choose(cluster) {
    only = cluster;
    chosen.cluster = cluster;
    draw();
    buttons.querySelector(`[aria-pressed="true"]`)?.focus();
  }
  if (shown) queueMicrotask(draw);
  const ringed = clusters.points.filter((point) => point.last_batch).length;
  return card({
    id: "map",
    wide: true,
    title: "Cluster map",
    said: shown
      ? `${whole(clusters.cluster_count)} clusters of ${whole(clusters.rows)} texts${shown < clusters.rows ? `, ${whole(shown)} of them drawn` : ""}. A dot tells its id, cluster and entropy, and never its text.`
      : "No text is indexed yet.",
    body: shown
      ? [
          chooser(clusters, batches, again),
          host,
          key([
            { look: "dot", series: 8, kind: 0, name: "labelled" },
            { look: "hollow", series: 8, kind: 0, name: "not labelled" },
            { look: "ring", name: `the batch (${whole(ringed)} texts)` },
            { look: "small", name: "sure to unsure (entropy)" },
          ]),
          buttons,
        ]
      : [],
    note: shown ? "Two main directions of the text vectors (principal components); what is close here is not always close in all directions. Colour and shape name the cluster, the number stands in its middle." : null,
    behind: shown ? [clusterTable(clusters)] : [],
    json: `${api}/metrics/clusters`,
    pictures: [`${api}/plots/clusters`],
  });
}

function chooser(clusters, batches, again) {
  const select = el(
    "select",
    { id: "map-batch", onchange: () => again(select.value) },
    ...[...batches].reverse().map((batch) =>
      el("option", { value: batch.id, selected: batch.id === clusters.batch_id }, `Round ${batch.round}: ${whole(batch.selected)} texts, ${batch.state}`)),
  );
  return batches.length
    ? el("div", { class: "pick" }, el("label", { for: "map-batch" }, "Ringed batch"), select)
    : el("span");
}

function clusterTable(clusters) {
  return table(
    "Clusters",
    [{ name: "Cluster" }, ...["Texts", "Labelled", "Selected", "Mean entropy"].map((n) => ({ name: n, number: true })), { name: "Labels" }],
    clusters.clusters.map((row) => [
      el("span", { class: "row" }, swatch(row.id), String(row.id)),
      whole(row.size), whole(row.labelled), whole(row.selected), score(row.mean_entropy),
      Object.entries(row.label_counts).map(([id, n]) => `${id} ${n}`).join(", ") || "–",
    ]),
  );
}

/** Entropy of the unlabelled pool now, and of picks and pool by round. */
export function doubt({ metrics, api }) {
  const { histogram, rounds, maximum } = metrics.entropy;
  const total = histogram.counts.reduce((sum, n) => sum + n, 0);
  const known = rounds.filter((row) => row.pool_mean !== null);
  const mean = histogram.counts.reduce((sum, n, k) => sum + (n * (histogram.edges[k] + histogram.edges[k + 1])) / 2, 0) / total;
  const boxes = [];
  if (total) {
    boxes.push(titled("Unlabelled pool now", (width) => columns(width, {
      ...histogram, said: "Columns: unlabelled texts by the entropy of the model's answer.",
      xName: "entropy in nats: sure to unsure", yName: "texts",
    })));
  }
  if (known.length) {
    boxes.push(titled("Mean by round", (width) => lines(width, {
      said: "Lines: mean entropy of the picked texts and of the pool, by round.", height: 250,
      xName: "round", yName: "entropy", low: 0, high: Math.ceil(maximum * 5) / 5, format: (v) => v.toFixed(2),
      guides: [{ y: maximum, name: "pure guess" }],
      series: [
        { name: "texts picked", series: 3, points: known.filter((row) => row.picked_mean !== null).map((row) => ({ x: row.round, y: row.picked_mean })) },
        { name: "whole pool", series: 8, mark: 1, points: known.map((row) => ({ x: row.round, y: row.pool_mean })) },
      ],
    })));
  }
  return card({
    id: "entropy",
    wide: true,
    title: "Entropy of the pool",
    said: total ? `The model is unsure of the unlabelled texts by ${mean.toFixed(2)} nats on average; a pure guess over the classes is ${maximum.toFixed(2)}.` : "There is no model that could be unsure yet.",
    body: boxes.length
      ? [twoPlots(...boxes), known.length ? key([{ look: "line", series: 3, name: "texts picked" }, { look: "line", series: 8, kind: 1, name: "whole pool" }]) : null].filter(Boolean)
      : [],
    behind: total
      ? [
          table("Unlabelled texts by entropy", [{ name: "Entropy" }, { name: "Texts", number: true }],
            histogram.counts.map((n, k) => [`${histogram.edges[k].toFixed(2)} to ${histogram.edges[k + 1].toFixed(2)}`, whole(n)])),
          table("Mean entropy by round", [{ name: "Round" }, { name: "Picked", number: true }, { name: "Pool", number: true }],
            rounds.map((row) => [String(row.round), score(row.picked_mean), score(row.pool_mean)]), { seen: true }),
        ]
      : [],
    json: `${api}/metrics`,
    pictures: [`${api}/plots/entropy`],
  });
}

function titled(title, draw) {
  return el("div", {}, el("h4", {}, title), chart(draw));
}
