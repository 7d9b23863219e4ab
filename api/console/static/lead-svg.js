// What every chart is made of: SVG elements by attributes only, scales, ticks and one hint.

import { plain } from "./text.js";

const SPACE = "http://www.w3.org/2000/svg";
const LETTER = 7.3;

/** shape("rect", {x: 1, class: "bar s1"}, child, "text"); numbers are rounded to a tenth. */
export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    made.setAttribute(name, typeof value === "number" ? Math.round(value * 10) / 10 : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A name that somebody chose, as one line of text at most `most` letters long. */
export const label = (text, most = 26) => plain(text, most);

/** Letters that fit into so many pixels of a chart's text. */
export const lettersIn = (pixels) => Math.max(4, Math.floor(pixels / LETTER));

/** Numbers in [d0, d1] to places in [r0, r1]. */
export function scale([d0, d1], [r0, r1]) {
  const factor = d1 === d0 ? 0 : (r1 - r0) / (d1 - d0);
  return (value) => r0 + (value - d0) * factor;
}

/** At most `most` round numbers from low to high; whole ones only where asked. */
export function ticks(low, high, { most = 5, wholes = false } = {}) {
  const raw = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  let step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= raw * 0.999);
  if (wholes) step = Math.max(1, Math.ceil(step));
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) found.push(n * step);
  return found.map((value) => Math.round(value * 1e9) / 1e9 + 0);
}

/** An empty picture that says in words what it shows. */
export function picture({ width, height, said }) {
  return shape("svg", {
    class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": said,
  });
}

/** Draws `draw(width)` into the host now and whenever the host's width changes. */
export function fit(host, draw) {
  let drawn = 0;
  const again = () => {
    const width = Math.floor(host.clientWidth);
    if (width < 40 || width === drawn) return;
    drawn = width;
    host.replaceChildren(draw(width));
  };
  new ResizeObserver(again).observe(host);
  again();
}

/** Marks by number: circle, square, triangle, diamond, cross, so that colour is not alone. */
export function mark(kind, { x, y, r, ...rest }) {
  const place = `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
  const d = [
    `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
    `M${-r * 0.9} ${-r * 0.9}h${r * 1.8}v${r * 1.8}h${-r * 1.8}z`,
    `M0 ${-r * 1.2}L${r * 1.15} ${r * 0.85}H${-r * 1.15}z`,
    `M0 ${-r * 1.3}L${r * 1.1} 0L0 ${r * 1.3}L${-r * 1.1} 0z`,
    `M0 ${r * 1.2}L${r * 1.15} ${-r * 0.85}H${-r * 1.15}z`,
  ][kind % 5];
  return shape("path", { d, transform: place, ...rest });
}

/** A small box of lines inside the picture, kept within its borders. */
export function hint(svg, { width, height }) {
  const box = shape("rect", { class: "hint-box", rx: 6 });
  const text = shape("text", { class: "hint-text" });
  const group = shape("g", { class: "hint", "aria-hidden": "true", visibility: "hidden" }, box, text);
  svg.append(group);
  return {
    show(x, y, lines) {
      text.replaceChildren(
        ...lines.map((line, n) => shape("tspan", { x: 10, y: 19 + 17 * n, class: n ? null : "strong" }, line)),
      );
      const wide = Math.max(...[...text.children].map((line) => line.getComputedTextLength())) + 20;
      const tall = 17 * lines.length + 12;
      box.setAttribute("width", wide);
      box.setAttribute("height", tall);
      const left = x + 14 + wide > width ? x - 14 - wide : x + 14;
      const top = y - tall / 2;
      const at = [Math.max(2, Math.min(left, width - wide - 2)), Math.max(2, Math.min(top, height - tall - 2))];
      group.setAttribute("transform", `translate(${at[0].toFixed(1)} ${at[1].toFixed(1)})`);
      group.setAttribute("visibility", "visible");
    },
    hide: () => group.setAttribute("visibility", "hidden"),
  };
}

/** Where the pointer is in the picture's own units. */
export function place(svg, event) {
  const box = svg.getBoundingClientRect();
  const view = svg.viewBox.baseVal;
  return {
    x: ((event.clientX - box.left) * view.width) / box.width,
    y: ((event.clientY - box.top) * view.height) / box.height,
  };
}
