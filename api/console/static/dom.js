// Elements made in one call; text goes in as text only.

import { bdi, nodes, plain } from "./text.js";

/**
 * el("button", {type: "button", class: "main", onclick: f, "aria-pressed": "true"}, "Save", node)
 * Functions are listeners (never attributes), null and false leave an attribute out.
 */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.replace(/^on/, ""), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A text that somebody else wrote (a name, a note, a message). */
export const foreign = (text) => bdi(text ?? "");

export const byId = (id) => document.getElementById(id);

/** Say something to people who hear the page, and nothing to those who see it. */
export function say(text) {
  const live = byId("status");
  live.textContent = "";
  setTimeout(() => { live.textContent = plain(text); }, 30);
}

/** An error above the content, heard at once; `clear` takes it away. */
export function alertBox(text, ...more) {
  byId("alert").replaceChildren(el("div", { class: "notice bad" }, el("p", {}, ...nodes(text)), ...more));
}
export function clearAlert() {
  byId("alert").replaceChildren();
}

/** A native modal dialog: Escape closes it, focus goes back to where it was. */
export function dialog(title, ...content) {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const box = el("dialog", { "aria-labelledby": id, class: "dialog" });
  const close = el("button", { type: "button", class: "quiet", onclick: () => box.close() }, "Close");
  box.append(el("div", { class: "dialog-head" }, el("h2", { id }, title), close), ...content);
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** "in 5 minutes", "in 40 seconds". */
export function inTime(seconds) {
  if (seconds < 90) return `in ${plural(Math.max(1, Math.round(seconds)), "second")}`;
  if (seconds < 5400) return `in ${plural(Math.round(seconds / 60), "minute")}`;
  return `in ${plural(Math.round(seconds / 3600), "hour")}`;
}
