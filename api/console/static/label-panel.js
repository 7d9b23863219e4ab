// Choose labels in a panel: numbers choose, Enter takes them.

import { el, foreign } from "./dom.js";
import { printed } from "./keys.js";
import { plain } from "./text.js";

/**
 * Fill `box` with one button per class. One class (multi false) or any number; `taken(ids)`
 * hears of the choice once it is confirmed. `extra` stands before the buttons. Answers {digit(index), submit()}.
 */
export function labelPanel(box, { title, labels, multi, chosen = [], submitText, submitKey, taken, cancel = null, extra = null }) {
  const on = new Set(chosen);
  const buttons = labels.map((label, index) => el("button", {
    type: "button", class: "option", "aria-pressed": "false", title: label.definition ? plain(label.definition) : null, onclick: () => pick(index),
  }, index < 10 ? el("kbd", {}, String((index + 1) % 10)) : null, el("span", { class: "name" }, foreign(label.name || label.id)), el("span", { class: "tick", "aria-hidden": "true" })));
  const send = el("button", { type: "button", class: "main", onclick: submit }, `${submitText} `, el("kbd", {}, printed(submitKey)));
  const id = `${box.id}-title`;
  box.replaceChildren(el("h3", { id }, title),
    el("ul", { class: "options two" }, ...buttons.map((button) => el("li", {}, button))),
    ...(extra ? [extra] : []),
    el("div", { class: "row" }, send,
      cancel ? el("button", { type: "button", class: "quiet", onclick: cancel }, "Cancel ", el("kbd", {}, "esc")) : null));
  box.hidden = false;
  draw();

  function pick(index) {
    const label = labels[index];
    if (!label) return;
    const had = on.delete(label.id);
    if (!multi) on.clear();
    if (!had) on.add(label.id);
    draw();
  }
  function draw() {
    labels.forEach((label, index) => {
      buttons[index].setAttribute("aria-pressed", String(on.has(label.id)));
      buttons[index].querySelector(".tick").textContent = on.has(label.id) ? "✓" : "";
    });
    send.disabled = !multi && on.size === 0;
  }
  function submit() {
    if (!multi && on.size === 0) return;
    taken(labels.map((label) => label.id).filter((one) => on.has(one)));
  }
  return { digit: pick, submit };
}
