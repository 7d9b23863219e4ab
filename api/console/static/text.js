// Foreign text shown as text: no markup, no live link, no character that hides or reorders.

const NAMES = {
  0x00ad: "soft hyphen", 0x061c: "arabic letter mark", 0x200b: "zero-width space",
  0x200c: "zero-width non-joiner", 0x200d: "zero-width joiner", 0x200e: "left-to-right mark",
  0x200f: "right-to-left mark", 0x2028: "line separator", 0x2029: "paragraph separator",
  0x202a: "left-to-right embedding", 0x202b: "right-to-left embedding",
  0x202c: "end of direction", 0x202d: "left-to-right override",
  0x202e: "right-to-left override", 0x2060: "word joiner", 0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate", 0x2068: "first-strong isolate", 0x2069: "end of isolate",
  0xfeff: "byte order mark",
};
// Joiners do honest work inside emoji and in scripts such as Persian and Hindi.
const HONEST_JOINER =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d(?=\p{Extended_Pictographic})|(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Sinhala}\p{Script=Malayalam}\p{Script=Kannada}\p{Script=Telugu}\p{M}])[\u200c\u200d](?=\p{L})/gu;
const HIDDEN =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff\p{Surrogate}\u{e0000}-\u{e0fff}]+/gu;
const SAME = /(.)\1*/gsu;
const MOST_MARKS = 12;
const LINK = /\b(https?|ftp|wss?|file|data|javascript|vbscript|mailto|tel):(\/\/[^\s/?#<>"']+)?|\bwww\.[^\s/?#<>"']+/giu;

/** The text with web addresses changed so that no program follows them. */
export function defang(text) {
  return text.replace(LINK, (found, scheme, host) => {
    if (!scheme) return found.replaceAll(".", "[.]");
    const shown = /^http/i.test(scheme) ? scheme.replace(/tt/i, "xx") : scheme;
    return `${shown}[:]${host ? host.replaceAll(".", "[.]") : ""}`;
  });
}

/** Pieces of a text: {text} as it is, or {mark, said} for characters one could not see. */
export function pieces(text) {
  const honest = new Set([...text.matchAll(HONEST_JOINER)].map((found) => found.index));
  const found = [];
  let from = 0;
  for (const hit of text.matchAll(HIDDEN)) {
    if (honest.has(hit.index)) continue;
    if (hit.index > from) found.push({ text: text.slice(from, hit.index) });
    found.push(...marks(hit[0]));
    from = hit.index + hit[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

/** One mark for each character of a run and how often it comes; one for all of a long mixed run. */
function marks(run) {
  const same = [...run.matchAll(SAME)];
  if (same.length <= MOST_MARKS) return same.map(([part, one]) => mark(one, part.length / one.length));
  const count = [...run].length;
  return [{ mark: `${count} hidden`, said: `${count} hidden characters` }];
}

function mark(character, times) {
  const code = character.codePointAt(0);
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const name = NAMES[code] ?? (code < 0xa0 ? "control character" : "hidden character");
  return { mark: times > 1 ? `${hex}×${times}` : hex, said: times > 1 ? `${name}, ${times} times` : name };
}

/** The text on one line with its marks as letters: where no elements can stand. */
export function plain(text, most = Infinity) {
  const line = pieces(defang(String(text).replaceAll(/\s+/g, " ")))
    .map((piece) => piece.text ?? `[${piece.mark}]`)
    .join("");
  const letters = [...line];
  return letters.length > most ? `${letters.slice(0, most - 1).join("").trimEnd()}…` : line;
}

/** Nodes of a text, safe to append anywhere. */
export function nodes(text) {
  return pieces(defang(String(text))).map((piece) => {
    if (piece.text !== undefined) return document.createTextNode(piece.text);
    const span = document.createElement("span");
    span.className = "mark";
    span.textContent = piece.mark;
    span.title = piece.said;
    return span;
  });
}

/** Replace what `element` holds by the text in its own direction. */
export function show(element, text) {
  const bdi = document.createElement("bdi");
  bdi.dir = "auto";
  bdi.append(...nodes(text));
  element.replaceChildren(bdi);
  return element;
}

/** A <bdi> with the text. */
export function bdi(text) {
  return show(document.createElement("span"), text).firstChild;
}
