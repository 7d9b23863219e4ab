// A card per figure: what it says in words, the picture, its key and the table behind it.

import { byId, el, foreign } from "./dom.js";
import { fit, mark, shape } from "./lead-svg.js";

/**
 * A real table. columns: [{name, number?}]; rows of texts, numbers as text, or nodes; the
 * first cell of a row is its header.
 */
export function table(caption, columns, rows, { seen = false, extra = "" } = {}) {
  const kind = (column, more = "") => `${column.number ? "number " : ""}${more}`.trim() || null;
  const head = columns.map((column) => el("th", { scope: "col", class: kind(column) }, column.name));
  const body = rows.map((row) =>
    el(
      "tr",
      {},
      ...row.map((cell, n) => {
        const tag = n === 0 ? "th" : "td";
        const { node, look } = cell?.node !== undefined ? cell : { node: cell, look: "" };
        return el(tag, { scope: n === 0 ? "row" : null, class: kind(columns[n], look) }, node);
      }),
    ),
  );
  return el(
    "div",
    { class: `scroll ${extra}`.trim(), tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", { class: seen ? null : "unseen" }, caption), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body)),
  );
}

export const name = (text) => foreign(text);

/** A key: [{look: "fill s1" | "striped s2" | "target" | "line s1" | "ring" | "hollow", name}]. */
export function key(entries) {
  return el(
    "ul",
    { class: "key" },
    ...entries.map((entry) => el("li", {}, sign(entry), el("span", {}, entry.name))),
  );
}

function sign({ look, series = 1, kind = series - 1, dashed = false }) {
  const svg = shape("svg", { width: 26, height: 14, viewBox: "0 0 26 14", "aria-hidden": "true" });
  const parts = {
    fill: () => [shape("rect", { x: 4, y: 1, width: 18, height: 12, rx: 2, class: `fill s${series}` })],
    striped: () => [
      shape("rect", { x: 4, y: 1, width: 18, height: 12, rx: 2, class: `fill s${series} faint` }),
      shape("path", { d: "M8 13L16 1h-4L4 13zM16 13l6-9v9z", class: `fill s${series}` }),
    ],
    band: () => [shape("rect", { x: 4, y: 1, width: 18, height: 12, class: `fill s${series} band` })],
    target: () => [shape("path", { d: "M13 0v14", class: "target" })],
    line: () => [
      shape("path", { d: "M1 7h24", class: `stroke s${series} line`, "stroke-dasharray": dashed ? "6 4" : null }),
      mark(kind, { x: 13, y: 7, r: 4, class: `fill s${series} dot` }),
    ],
    dot: () => [mark(kind, { x: 13, y: 7, r: 4.4, class: `dot full s${series}` })],
    hollow: () => [mark(kind, { x: 13, y: 7, r: 4.4, class: `dot hollow s${series}` })],
    ring: () => [shape("circle", { cx: 13, cy: 7, r: 5.6, class: "ring" })],
    small: () => [mark(0, { x: 7, y: 7, r: 2.6, class: "dot full s8" }), mark(0, { x: 19, y: 7, r: 6, class: "dot full s8" })],
    guide: () => [shape("path", { d: "M1 7h24", class: "guide" })],
  };
  svg.append(...parts[look]());
  return svg;
}

/** A host that draws itself at its own width. */
export function chart(draw, { wide = false } = {}) {
  const host = el("div", { class: wide ? "plot wide" : "plot" });
  queueMicrotask(() => fit(host, draw));
  return host;
}

/**
 * The card. `said` is one sentence with the figure's news; `body` are nodes; `behind` is
 * [{caption…}] tables; `json` and `pictures` are links into the API.
 */
export function card({ id, title, said, body = [], behind = [], json, pictures = [], note = null, wide = false }) {
  const links = [
    json ? el("a", { href: json }, "JSON") : null,
    ...(body.length ? pictures : []).flatMap((url) => [
      el("a", { href: `${url}.svg` }, "SVG"),
      el("a", { href: `${url}.png` }, "PNG"),
    ]),
  ].filter(Boolean);
  const heading = `figure-${id}`;
  return el(
    "section",
    { class: wide ? "card figure wide" : "card figure", id, "aria-labelledby": heading },
    el("h3", { id: heading }, title),
    said ? el("p", { class: "said" }, ...[said].flat()) : null,
    ...body,
    note ? el("p", { class: "soft small" }, ...[note].flat()) : null,
    behind.length || links.length
      ? el(
          "div",
          { class: "behind" },
          behind.length ? el("details", {}, el("summary", {}, "Table"), ...behind) : null,
          links.length ? el("p", { class: "links small" }, ...links) : null,
        )
      : null,
  );
}

/** Words where there is nothing to draw yet. */
export const nothing = (text) => el("p", { class: "nothing soft" }, text);

/** Draw again what changed, and leave open and in focus what a person was at. */
export function kept(draw, holder) {
  const active = holder()?.contains(document.activeElement) ? document.activeElement : null;
  const open = holder()?.querySelector("details")?.open;
  draw();
  const details = holder()?.querySelector("details");
  if (details && open) details.open = true;
  if (active?.id) byId(active.id)?.focus();
  else if (active?.localName === "summary") details?.querySelector("summary").focus();
}

/** Put a figure in the place of its older self. */
export function replace(id, made) {
  kept(() => byId(id)?.replaceWith(made), () => byId(id));
}
