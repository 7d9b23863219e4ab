// Single keys that act: never in a text field, never with a modifier, never on repeat.

/** What each key does unless a person chose otherwise; `1`-`9`, `0` are the labels. */
export const DEFAULTS = {
  submit: "Enter", skip: "Space", undo: "z", guidelines: "g", blur: "b", flag: "f", help: "?",
  accept: "a", edit: "e", reject: "x", relabel: "r", next: "j", previous: "k", note: "n",
};
/** Keys that always work beside the chosen one. */
const ALSO = { undo: ["Backspace"] };
const FIELDS = "input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select, [contenteditable]";
const PRESSABLE = "button, a[href], summary, input, [role=button]";

/** A key event as it is written in settings: "a", "?", "Space", "Enter". */
export function nameOf(event) {
  if (event.key === " ") return "Space";
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

/** The defaults with a person's own keys in their place. */
export function keymap(preferences) {
  const own = preferences?.keys ?? {};
  return Object.fromEntries(Object.entries(DEFAULTS).map(([action, key]) => [
    action, typeof own[action] === "string" && own[action] ? own[action] : key,
  ]));
}

/** How a key is printed on a button. */
export const printed = (key) => ({ Space: "space", Enter: "enter", Backspace: "⌫" })[key] ?? key;

function ignored(event, target) {
  if (event.defaultPrevented || event.repeat || event.isComposing) return true;
  if (event.ctrlKey || event.altKey || event.metaKey) return true;
  return target instanceof Element && (target.closest(FIELDS) !== null || target.isContentEditable);
}

/**
 * Listen for keys. `actions` maps an action of DEFAULTS to a function; `digit(n)` gets
 * 1-9 and 10 for the key 0; `escape2()` is called on two Escapes within 600 ms, also in
 * text fields and dialogs. `enabled()` false silences all but the two Escapes. Answers a
 * function that stops listening.
 */
export function listen({ keys, actions = {}, digit = null, escape2 = null, enabled = () => true }) {
  let escapedAt = -Infinity;
  const byKey = new Map();
  for (const [action, run] of Object.entries(actions)) {
    for (const key of [...(ALSO[action] ?? []), keys[action]]) byKey.set(key, run);
  }
  function pressed(event) {
    if (event.key === "Escape" && !event.repeat && escape2) {
      const twice = event.timeStamp - escapedAt < 600;
      escapedAt = twice ? -Infinity : event.timeStamp;
      if (twice) escape2();
      return;
    }
    if (ignored(event, event.target) || !enabled() || document.querySelector("dialog[open]")) return;
    const name = nameOf(event);
    // Space and Enter press the button that has the focus, as everywhere.
    if ((name === "Space" || name === "Enter") && event.target.closest?.(PRESSABLE)) return;
    const run = byKey.get(name) ?? digitAction(name);
    if (!run) return;
    event.preventDefault();
    run();
  }
  function digitAction(name) {
    if (digit === null || !/^[0-9]$/.test(name)) return null;
    return () => digit(name === "0" ? 10 : Number(name));
  }
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
