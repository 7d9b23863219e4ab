// The differences between two texts, word by word.

import { el } from "./dom.js";
import { defang, nodes } from "./text.js";

const WORDS = /\s+|[\p{L}\p{N}\p{M}_'’]+|[^\s\p{L}\p{N}\p{M}_'’]/gu;
const MOST_WORDS = 1500;

/** [kind, text] runs, kind one of same, del, ins; null where the texts are too long. */
export function compare(before, after) {
  const a = before.match(WORDS) ?? [];
  const b = after.match(WORDS) ?? [];
  if (a.length > MOST_WORDS || b.length > MOST_WORDS) return null;
  const width = b.length + 1;
  // Longest common subsequence from the ends: length[i * width + j] for a[i:] and b[j:].
  const length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      length[i * width + j] = a[i] === b[j]
        ? length[(i + 1) * width + j + 1] + 1
        : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  const runs = [];
  const add = (kind, text) => {
    const last = runs.at(-1);
    if (last?.[0] === kind) last[1] += text;
    else runs.push([kind, text]);
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { add("same", a[i]); i += 1; j += 1; }
    else if (j >= b.length || (i < a.length && length[(i + 1) * width + j] >= length[i * width + j + 1])) { add("del", a[i]); i += 1; }
    else { add("ins", b[j]); j += 1; }
  }
  return runs;
}

/** One side of a comparison as a <bdi>: what is missing there is left out. */
export function side(runs, kind) {
  const bdi = el("bdi", { dir: "auto" });
  for (const [found, text] of runs) {
    if (found === "same") bdi.append(...nodes(text));
    else if (found === kind) bdi.append(text.trim() ? el(kind, {}, ...nodes(text)) : text);
  }
  return bdi;
}

/** compare() of the texts as they are shown. */
export const compareShown = (before, after) => compare(defang(before), defang(after));

/** Share of three-letter pieces in common, 0 to 1: how alike two short texts are. */
export function likeness(one, other) {
  const pieces = (text) => {
    const low = text.toLowerCase().replace(/\s+/g, " ").slice(0, 4000);
    return new Set(Array.from({ length: Math.max(1, low.length - 2) }, (_, at) => low.slice(at, at + 3)));
  };
  const a = pieces(one);
  const b = pieces(other);
  let shared = 0;
  for (const piece of a) shared += b.has(piece) ? 1 : 0;
  return shared / (a.size + b.size - shared);
}
