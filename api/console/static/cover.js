// Text that stays out of sight until the person wants to see it.

import { el } from "./dom.js";
import { printed } from "./keys.js";

/**
 * Put what `build()` answers (nodes) into `container`, covered as `mode` says.
 * hidden: not on the page at all until revealed; blurred: there, but unreadable;
 * shown: open. Answers {toggle, reveal, open}; `onchange(open)` hears of each change.
 */
export function cover(container, build, { mode, key, onchange = () => {} }) {
  let open = mode === "shown";

  function draw() {
    container.classList.toggle("covered", !open);
    if (open) container.replaceChildren(...build());
    else if (mode === "hidden") container.replaceChildren(el("p", { class: "soft" }, "The text is hidden until you want to see it."), revealButton());
    else {
      const veiled = el("div", { class: "veiled", "aria-hidden": "true", inert: true }, ...build());
      container.replaceChildren(veiled, revealButton());
    }
    onchange(open);
  }
  function revealButton() {
    return el("button", { type: "button", class: "reveal", onclick: () => set(true) }, "Show the text ", key ? el("kbd", {}, printed(key)) : null);
  }
  function set(next) {
    if (next === open) return;
    const focused = container.contains(document.activeElement);
    open = next;
    draw();
    if (focused) container.closest("[tabindex]")?.focus({ preventScroll: true });
  }
  draw();
  return { toggle: () => set(!open), reveal: () => set(true), get open() { return open; } };
}
