// What the annotate page asks back: why skip, what is wrong, which key does what.

import { dialog, el } from "./dom.js";
import { printed } from "./keys.js";

export const SKIP_REASONS = [
  ["unsure", "I cannot decide"], ["language", "A language I do not read"],
  ["context", "Context is missing"], ["topic", "A topic I avoid"],
  ["too_much", "Too much for me now"], ["other", "Another reason"],
];
export const FLAG_REASONS = [
  ["illegal_content", "It may be illegal: stop", "It is taken out at once and never shown again. Do not copy it, search for it or pass it on."],
  ["person_at_risk", "Somebody may be in danger", "A threat, self-harm, a child in need. The people in charge are told."],
  ["personal_data", "It shows private data", "Addresses, numbers, names that should not be here."],
  ["wrong_language", "Another language than it should be", ""],
  ["unreadable", "It cannot be read", "Broken characters, empty, cut off."],
  ["other", "Something else", "Say what in the note."],
];

/** Reasons to skip, by number; the skip key again skips without one. */
export function skipPanel(box, { done, cancel, key }) {
  const buttons = SKIP_REASONS.map(([reason, text], index) =>
    el("button", { type: "button", onclick: () => done(reason) }, el("kbd", {}, String(index + 1)), text));
  box.replaceChildren(
    el("h3", {}, "Why skip it?"),
    el("div", { class: "row" }, ...buttons,
      el("button", { type: "button", onclick: () => done(undefined) }, el("kbd", {}, printed(key)), "No reason"),
      el("button", { type: "button", class: "quiet", onclick: cancel }, "Back to the text ", el("kbd", {}, "esc"))),
  );
  box.hidden = false;
  box.focus({ preventScroll: true });
  box.scrollIntoView({ block: "nearest" });
  return {
    digit: (index) => SKIP_REASONS[index] && done(SKIP_REASONS[index][0]),
    repeat: () => done(undefined),
  };
}

/** What is wrong with the text; choosing "illegal" takes it out of sight at once. */
export function askFlag({ people, illegal, kept, done }) {
  let sent = false;
  let hidden = false;
  const note = el("textarea", { id: "flag-note", maxlength: "2000", rows: "3", autocomplete: "off" });
  const warning = el("p", { class: "notice bad", role: "alert", hidden: true },
    "Stop here. The text is out of sight already. Do not copy it into the note or anywhere else.",
    people?.support_text ? ` ${people.support_text}` : "");
  const choices = FLAG_REASONS.map(([reason, text, hint], index) => el("label", { class: "check" },
    el("input", { type: "radio", name: "reason", value: reason, required: true, onchange: () => picked(reason) }),
    el("span", {}, el("strong", {}, `${index + 1}. ${text}`), hint ? el("span", { class: "soft small block" }, ` ${hint}`) : null)));
  const form = el("form", { method: "dialog", onsubmit: submit },
    el("fieldset", {}, el("legend", {}, "What is wrong with it?"), ...choices),
    warning,
    el("div", { class: "field" }, el("label", { for: "flag-note" }, "Note ", el("span", { class: "soft" }, "(optional, never the text itself)")), note),
    el("div", { class: "row" }, el("button", { type: "submit", class: "main" }, "Send the flag")));
  const box = dialog("Flag this text", form);
  box.addEventListener("keydown", (event) => {
    const number = Number(event.key);
    if (event.target === note || event.ctrlKey || event.altKey || event.metaKey || !(number >= 1 && number <= FLAG_REASONS.length)) return;
    const radio = choices[number - 1].querySelector("input");
    radio.checked = true;
    radio.focus();
    picked(radio.value);
    event.preventDefault();
  });
  box.addEventListener("close", () => { if (!sent && hidden) kept(); });
  choices[0].querySelector("input").focus();

  function picked(reason) {
    const stop = reason === "illegal_content";
    warning.hidden = !stop;
    if (stop && !hidden) {
      hidden = true;
      illegal();
    }
  }
  function submit(event) {
    event.preventDefault();
    sent = true;
    box.close();
    done(new FormData(form).get("reason"), note.value.trim());
  }
}

/** The keys as they are now. */
export function showHelp(own, multi) {
  const { keys } = own;
  const rows = [
    ["1 … 9, 0", multi ? "Choose or unchoose a label" : "Answer with a label"],
    ...(multi ? [[printed(keys.submit), "Submit the chosen labels"]] : []),
    [printed(keys.skip), "Skip, with a reason if you like"],
    [`${printed(keys.undo)} or ⌫`, "Take the last answer back"],
    [printed(keys.flag), "Flag: illegal, somebody in danger, private data …"],
    [printed(keys.blur), "Cover or show the text"],
    [printed(keys.note), "Write a note"],
    [printed(keys.guidelines), "Guidelines"],
    [printed(keys.help), "This list"],
    ["esc esc", "Everything out of sight, the text goes back to the queue"],
  ];
  const table = el("table", {}, el("tbody", {}, ...rows.map(([key, text]) =>
    el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, key)), el("td", {}, text)))));
  const off = own.single_keys ? null : el("p", { class: "notice warn" }, "Single keys are off in your settings; two Escapes always work.");
  dialog("Keys", off ?? "", table, el("p", { class: "small" }, el("a", { href: "/console/settings" }, "Change the keys")));
}
