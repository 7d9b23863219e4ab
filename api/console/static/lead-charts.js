// Charts of a lead's pages: bars in a row, columns and lines with a band.

import { short, whole } from "./lead-format.js";
import { hint, label, lettersIn, mark, picture, place, scale, shape, ticks } from "./lead-svg.js";

const BAR = 20;
const ROW = 34;
const FOOT = 44;
let patterns = 0;

/** Stripes in a series' colour, for bars that colour alone should not tell apart. */
function stripes(svg, series) {
  const id = `stripes-${(patterns += 1)}`;
  svg.append(
    shape(
      "defs",
      {},
      shape(
        "pattern",
        { id, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        shape("rect", { width: 7, height: 7, class: `fill s${series} faint` }),
        shape("rect", { width: 3.5, height: 7, class: `fill s${series}` }),
      ),
    ),
  );
  return `url(#${id})`;
}

const grows = (values) => Math.max(...values, 0) || 1;

/**
 * Bars from left to right, one row per name.
 *
 * rows: [{name, parts: [{value, series, striped}], target?, note?}]; a part's value and the
 * target share one unit. `format` writes the total beside a bar.
 */
export function bars(width, { rows, said, unit, format = whole, most: given, wholes = true }) {
  const height = rows.length * ROW + FOOT;
  const svg = picture({ width, height, said });
  const names = Math.min(Math.max(...rows.map((row) => [...String(row.name)].length)) * 7.4 + 20, width * 0.36, 190);
  const totals = rows.map((row) => row.parts.reduce((sum, part) => sum + part.value, 0));
  const most = given ?? grows([...totals, ...rows.map((row) => row.target ?? 0)]);
  const x = scale([0, most], [names, width - 52]);
  axis(svg, { x, most, height, unit, wholes, format, room: width - names });
  const filled = {};
  rows.forEach((row, n) => {
    const y = n * ROW + 8;
    svg.append(shape("text", { x: names - 10, y: y + 15, class: "name end" }, label(row.name, lettersIn(names - 16))));
    let from = 0;
    for (const part of row.parts) {
      const start = x(from);
      const wide = x(from + part.value) - start;
      from += part.value;
      if (wide <= 0) continue;
      if (part.striped) filled[part.series] ??= stripes(svg, part.series);
      const fill = part.striped ? { fill: filled[part.series] } : {};
      svg.append(shape("rect", { x: start, y, width: wide, height: BAR, rx: 2, class: part.striped ? "part" : `part fill s${part.series}`, ...fill }));
    }
    if (row.target !== undefined && row.target !== null) {
      svg.append(shape("path", { d: `M${x(row.target).toFixed(1)} ${y - 5}v${BAR + 10}`, class: "target" }));
    }
    const end = Math.max(x(from), row.target ? x(row.target) : 0);
    svg.append(shape("text", { x: end + 8, y: y + 15, class: "value" }, row.note ?? format(from)));
  });
  return svg;
}

function axis(svg, { x, most, height, unit, wholes, format, room }) {
  const bottom = height - FOOT + 4;
  for (const tick of ticks(0, most, { most: Math.max(2, Math.min(5, Math.floor(room / 70))), wholes })) {
    svg.append(
      shape("path", { d: `M${x(tick).toFixed(1)} 2V${bottom}`, class: "grid-line" }),
      shape("text", { x: x(tick), y: bottom + 15, class: "tick middle" }, format(tick)),
    );
  }
  svg.append(shape("text", { x: x(0), y: height - 6, class: "axis-name" }, unit));
}

/** Columns between edges: a histogram. `edges` has one number more than `counts`. */
export function columns(width, { edges, counts, said, xName, yName }) {
  const height = 250;
  const svg = picture({ width, height, said });
  const x = scale([edges[0], edges.at(-1)], [46, width - 10]);
  const y = scale([0, grows(counts)], [height - FOOT, 18]);
  levels(svg, { y, from: 0, to: grows(counts), width, format: whole, wholes: true });
  counts.forEach((count, n) => {
    const left = x(edges[n]) + 1;
    const wide = Math.max(1, x(edges[n + 1]) - left - 1);
    svg.append(shape("rect", { x: left, y: y(count), width: wide, height: y(0) - y(count), rx: 1.5, class: "fill s1 column" }));
  });
  across(svg, { x, from: edges[0], to: edges.at(-1), width, height, format: short, name: xName });
  svg.append(shape("text", { x: 2, y: 10, class: "axis-name" }, yName));
  const tip = hint(svg, { width, height });
  svg.addEventListener("pointermove", (event) => {
    const at = place(svg, event).x;
    const n = counts.findIndex((_, k) => at >= x(edges[k]) && at < x(edges[k + 1]));
    if (n < 0) return tip.hide();
    return tip.show(x(edges[n + 1]), y(counts[n]), [`${whole(counts[n])} texts`, `${edges[n].toFixed(2)} to ${edges[n + 1].toFixed(2)}`]);
  });
  svg.addEventListener("pointerleave", tip.hide);
  return svg;
}

function levels(svg, { y, from, to, width, format, wholes = false }) {
  for (const tick of ticks(from, to, { most: 5, wholes })) {
    svg.append(
      shape("path", { d: `M46 ${y(tick).toFixed(1)}H${width - 10}`, class: "grid-line" }),
      shape("text", { x: 40, y: y(tick) + 4, class: "tick end" }, format(tick)),
    );
  }
}

function across(svg, { x, from, to, width, height, format, name, wholes = false }) {
  const found = ticks(from, to, { most: Math.max(2, Math.min(8, Math.floor(width / 80))), wholes });
  for (const tick of found) {
    svg.append(shape("text", { x: x(tick), y: height - FOOT + 18, class: "tick middle" }, format(tick)));
  }
  svg.append(shape("text", { x: width - 10, y: height - 6, class: "axis-name end" }, name));
}

/**
 * Lines over a number, each with the marks of its series and perhaps a band.
 *
 * series: [{name, series, dashed, points: [{x, y, low?, high?}]}]; `guides` are level lines
 * [{y, name}]. `low` and `high` bound the upright axis.
 */
export function lines(width, { series, said, xName, yName, low, high, format, xFormat = whole, guides = [], wholes = true, diagonal = false, xRange, height = 280 }) {
  const svg = picture({ width, height, said });
  const xs = series.flatMap((row) => row.points.map((point) => point.x));
  const span = xRange ?? [Math.min(...xs), Math.max(...xs)];
  const pad = xRange ? 0 : (span[1] - span[0] || 1) * 0.04;
  const x = scale([span[0] - pad, span[1] + pad], [46, width - 14]);
  const y = scale([low, high], [height - FOOT, 20]);
  levels(svg, { y, from: low, to: high, width, format });
  across(svg, { x, from: span[0], to: span[1], width, height, format: xFormat, name: xName, wholes });
  svg.append(shape("text", { x: 2, y: 10, class: "axis-name" }, yName));
  if (diagonal) svg.append(shape("path", { d: `M${x(low)} ${y(low)}L${x(high)} ${y(high)}`, class: "guide" }));
  for (const guide of guides) {
    svg.append(
      shape("path", { d: `M46 ${y(guide.y).toFixed(1)}H${width - 14}`, class: "guide" }),
      shape("text", { x: width - 14, y: y(guide.y) - 6, class: "tick end" }, guide.name),
    );
  }
  for (const row of series) svg.append(...band(row, { x, y }));
  for (const row of series) svg.append(...drawn(row, { x, y }));
  follow(svg, { series, x, y, width, height, format, xName, xFormat });
  return svg;
}

function band(row, { x, y }) {
  const known = row.points.filter((point) => point.low !== undefined && point.low !== null);
  if (!known.length) return [];
  if (known.length === 1 || row.whiskers) {
    return known.map((p) => shape("path", { d: `M${x(p.x).toFixed(1)} ${y(p.low).toFixed(1)}V${y(p.high).toFixed(1)}m-5 0h10m-5 0V${y(p.low).toFixed(1)}m-5 0h10`, class: `stroke s${row.series} whisker` }));
  }
  const up = known.map((point) => `${x(point.x).toFixed(1)} ${y(point.high).toFixed(1)}`);
  const down = known.map((point) => `${x(point.x).toFixed(1)} ${y(point.low).toFixed(1)}`).reverse();
  return [shape("path", { d: `M${[...up, ...down].join("L")}z`, class: `fill s${row.series} band` })];
}

function drawn(row, { x, y }) {
  const path = row.points.map((point) => `${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`).join("L");
  const stroke = shape("path", { d: `M${path}`, class: `stroke s${row.series} line`, "stroke-dasharray": row.dashed ? "7 5" : null });
  const marks = row.points.map((point) =>
    mark(row.mark ?? row.series - 1, { x: x(point.x), y: y(point.y), r: point.r ?? 4.2, class: `fill s${row.series} dot` }),
  );
  return row.unjoined ? marks : [stroke, ...marks];
}

/** What each series says at the place nearest to the pointer. */
function follow(svg, { series, x, y, width, height, format, xName, xFormat }) {
  const places = [...new Set(series.flatMap((row) => row.points.map((point) => point.x)))];
  if (!places.length) return;
  const rule = shape("path", { class: "rule", visibility: "hidden" });
  svg.append(rule);
  const tip = hint(svg, { width, height });
  svg.addEventListener("pointermove", (event) => {
    const at = place(svg, event).x;
    const near = places.reduce((best, one) => (Math.abs(x(one) - at) < Math.abs(x(best) - at) ? one : best));
    const found = series.flatMap((row) => row.points.filter((point) => point.x === near).map((point) => ({ row, point })));
    rule.setAttribute("d", `M${x(near).toFixed(1)} 20V${height - FOOT}`);
    rule.setAttribute("visibility", "visible");
    tip.show(x(near), y(found[0].point.y), [
      `${xFormat(near)} ${xName}`,
      ...found.map(({ row, point }) => point.said ?? `${label(row.name, 30)}: ${format(point.y)}${point.low === undefined || point.low === null ? "" : ` (${format(point.low)} to ${format(point.high)})`}`),
    ]);
  });
  svg.addEventListener("pointerleave", () => {
    tip.hide();
    rule.setAttribute("visibility", "hidden");
  });
}
