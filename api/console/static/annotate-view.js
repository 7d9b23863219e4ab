// What the annotate page draws: the text with its context, the answers, the guidelines.

import { byId, el, foreign } from "./dom.js";
import { printed } from "./keys.js";
import { nodes, show } from "./text.js";

/** A button's face: what it does, and its key. */
export function face(id, text, key) {
  const button = byId(id);
  button.replaceChildren(text, " ", el("kbd", {}, printed(key)));
  button.setAttribute("aria-keyshortcuts", key === "Space" ? "Space" : key);
  return button;
}

/** Nodes of one item: what came before it, then its text. */
export function itemNodes(item) {
  const made = [];
  if (item.context?.length) {
    made.push(el("p", { class: "lead-in" }, "Before it"));
    made.push(el("ol", { class: "context" }, ...item.context.map(message)));
    made.push(el("p", { class: "lead-in" }, "The text to judge"));
  }
  const text = show(el("div", { class: "foreign the-text", tabindex: "0", role: "group", "aria-label": "The text to judge" }), item.text);
  if (item.lang) text.firstChild.lang = /^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(item.lang) ? item.lang : "";
  return [...made, text];
}

function message(entry) {
  const author = entry.author ? el("span", { class: "author" }, foreign(entry.author)) : null;
  return el("li", { class: "foreign" }, author, ...show(el("span"), entry.text).childNodes);
}

/** The metadata that the session shows to people. */
export function metadataRows(list, metadata) {
  const rows = Object.entries(metadata ?? {}).filter(([, value]) => value !== null && value !== "");
  list.hidden = rows.length === 0;
  list.replaceChildren(...rows.flatMap(([name, value]) => [
    el("dt", {}, foreign(name)),
    el("dd", {}, foreign(typeof value === "object" ? JSON.stringify(value) : String(value))),
  ]));
}

/** One button per class; `choose(index)` hears of presses. */
export function labelOptions(list, labels, choose, multi) {
  const rows = labels.map((label, index) => {
    const key = index < 10 ? String((index + 1) % 10) : "";
    const about = `label-examples-${index}`;
    const examples = (label.examples ?? []).slice(0, 3);
    const button = el("button", {
      type: "button", class: "option", onclick: () => choose(index),
      "aria-pressed": multi ? "false" : null, "aria-keyshortcuts": key || null,
      "aria-describedby": examples.length ? about : null,
    },
    key ? el("kbd", {}, key) : null,
    el("span", {}, el("span", { class: "name" }, foreign(label.name || label.id)),
      label.definition ? el("span", { class: "definition" }, foreign(label.definition)) : null),
    multi ? el("span", { class: "tick", "aria-hidden": "true" }) : null);
    const list = examples.length
      ? el("ul", { class: "examples", id: about, "aria-label": "Examples" }, ...examples.map((text) => el("li", { class: "foreign" }, foreign(text))))
      : null;
    return el("li", {}, button, list);
  });
  list.replaceChildren(...rows);
  return [...list.querySelectorAll(".option")];
}

/** The guidelines as plain text; `needle` marks what it finds and hides what lies between. */
export function guidelinesText(box, found, text, needle) {
  const paragraphs = text.split(/\n\s*\n/).filter((part) => part.trim());
  const wanted = needle.trim().toLocaleLowerCase();
  const shown = wanted ? paragraphs.filter((part) => part.toLocaleLowerCase().includes(wanted)) : paragraphs;
  box.replaceChildren(...shown.map((part) => el("p", { dir: "auto" }, ...(wanted ? marked(part, wanted) : nodes(part)))));
  found.textContent = wanted ? (shown.length ? `${shown.length} of ${paragraphs.length} paragraphs` : "Nothing found.") : "";
}

function marked(text, wanted) {
  const low = text.toLocaleLowerCase();
  // Case folding may change lengths; then the paragraph is shown without marks.
  if (low.length !== text.length) return nodes(text);
  const made = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    made.push(...nodes(text.slice(from, at)), el("mark", {}, ...nodes(text.slice(at, at + wanted.length))));
    from = at + wanted.length;
  }
  return [...made, ...nodes(text.slice(from))];
}

/** Where help is found; hidden when the session names none. */
export function support(line, people) {
  const { support_text: text, support_url: url } = people ?? {};
  line.hidden = !text && !url;
  const link = /^https:\/\//.test(url ?? "") ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, "Find support") : null;
  line.replaceChildren(...[text ? foreign(text) : null, text && link ? " " : null, link].filter(Boolean));
}
