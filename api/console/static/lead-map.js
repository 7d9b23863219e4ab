// The pool as a map: clusters by colour, shape and number, doubt by size, a batch ringed.

import { el } from "./dom.js";
import { score } from "./lead-format.js";
import { hint, mark, picture, place, scale, shape } from "./lead-svg.js";

const COLOURS = 8;
const SMALL = 2.6;
const LARGE = 6.2;
const NEAR = 16;
const EDGE = 16;

export const colour = (cluster) => (cluster % COLOURS) + 1;
export const kind = (cluster) => Math.floor(cluster / COLOURS);

/** What may be said of a dot: its id, its cluster and the learner's doubt; never its text. */
function lines(point, most) {
  return [
    point.id,
    `cluster ${point.cluster}${point.labelled ? ", labelled" : ", not labelled"}`,
    point.entropy === null ? "no model yet" : `entropy ${score(point.entropy)} of ${score(most)}`,
    ...(point.last_batch ? ["in the ringed batch"] : []),
  ];
}

/**
 * The map of what /metrics/clusters gave. Arrow keys walk through the ringed dots, and
 * `heard` is told what each says. `only` holds the cluster to look at, null for all.
 */
export function map(width, data, { said, heard, only }) {
  const height = Math.round(Math.max(300, Math.min(560, width * 0.62)));
  const svg = picture({ width, height, said });
  const points = located(data, { width, height });
  const groups = new Map();
  for (const point of [...points].sort((a, b) => b.r - a.r)) {
    if (!groups.has(point.cluster)) groups.set(point.cluster, shape("g", { class: `cluster s${colour(point.cluster)}` }));
    const look = point.labelled ? "dot full" : "dot hollow";
    groups.get(point.cluster).append(mark(kind(point.cluster), { x: point.at.x, y: point.at.y, r: point.r, class: look }));
  }
  svg.append(...groups.values());
  const ringed = points.filter((point) => point.last_batch);
  svg.append(...ringed.map((point) => shape("circle", { cx: point.at.x, cy: point.at.y, r: point.r + 3.6, class: "ring" })));
  svg.append(...middles(points));
  const pointer = shape("circle", { class: "pointer", visibility: "hidden" });
  svg.append(pointer);
  const tip = hint(svg, { width, height });

  function dim(cluster) {
    for (const [id, group] of groups) group.classList.toggle("dim", cluster !== null && id !== cluster);
  }
  function show(point) {
    pointer.setAttribute("cx", point.at.x.toFixed(1));
    pointer.setAttribute("cy", point.at.y.toFixed(1));
    pointer.setAttribute("r", (point.r + 2.4).toFixed(1));
    pointer.setAttribute("visibility", "visible");
    tip.show(point.at.x, point.at.y, lines(point, data.maximum_entropy));
  }
  function hide() {
    pointer.setAttribute("visibility", "hidden");
    tip.hide();
  }
  dim(only);
  svg.addEventListener("pointermove", (event) => {
    const found = nearest(points, place(svg, event), only);
    if (found) show(found);
    else hide();
  });
  svg.addEventListener("pointerleave", hide);
  walk(svg, { stops: ringed.length ? ringed : points, show, hide, heard, most: data.maximum_entropy });
  return svg;
}

function located(data, { width, height }) {
  const bounds = (axis) => {
    const values = data.points.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const x = scale(bounds("x"), [EDGE, width - EDGE]);
  const y = scale(bounds("y"), [height - EDGE, EDGE]);
  return data.points.map((point) => {
    const share = point.entropy === null ? 0.35 : Math.min(1, point.entropy / data.maximum_entropy);
    const r = (SMALL + (LARGE - SMALL) * share) * Math.max(0.62, Math.min(1, width / 760));
    return { ...point, at: { x: x(point.x), y: y(point.y) }, r };
  });
}

/** Each cluster's number in the middle of its dots, since eight colours name only eight. */
function middles(points) {
  const members = Map.groupBy ? Map.groupBy(points, (point) => point.cluster) : grouped(points);
  return [...members].map(([cluster, rows]) => {
    const middle = (axis) => {
      const sorted = rows.map((row) => row.at[axis]).sort((a, b) => a - b);
      return sorted[Math.floor(sorted.length / 2)];
    };
    return shape("text", { x: middle("x"), y: middle("y") + 5, class: "cluster-name middle" }, String(cluster));
  });
}

function grouped(points) {
  const found = new Map();
  for (const point of points) found.set(point.cluster, [...(found.get(point.cluster) ?? []), point]);
  return found;
}

function nearest(points, at, only) {
  let best = null;
  let least = NEAR ** 2;
  for (const point of points) {
    if (only !== null && point.cluster !== only) continue;
    const far = (point.at.x - at.x) ** 2 + (point.at.y - at.y) ** 2;
    if (far < least) [best, least] = [point, far];
  }
  return best;
}

function walk(svg, { stops, show, hide, heard, most }) {
  if (!stops.length) return;
  svg.setAttribute("tabindex", "0");
  let at = -1;
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    at = (at + step + stops.length) % stops.length;
    show(stops[at]);
    heard(lines(stops[at], most).join(", "));
  });
  svg.addEventListener("blur", hide);
}

/** Buttons that single a cluster out, each with its colour and shape. */
export function clusterButtons(data, { only, choose }) {
  return el(
    "div",
    { class: "chips", role: "group", "aria-label": "Show one cluster" },
    ...data.clusters.map((row) =>
      el(
        "button",
        {
          type: "button", class: "chip", "aria-pressed": String(only === row.id),
          onclick: () => choose(only === row.id ? null : row.id),
        },
        swatch(row.id), String(row.id),
        el("span", { class: "soft" }, ` ${row.size}`),
      ),
    ),
  );
}

export function swatch(cluster) {
  const svg = shape("svg", { width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true" });
  svg.append(mark(kind(cluster), { x: 7, y: 7, r: 4.6, class: `dot full s${colour(cluster)}` }));
  return svg;
}
