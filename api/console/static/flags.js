// The flags page: what people found wrong with a text, and what becomes of it.

import { support } from "./annotate-view.js";
import { get, post } from "./api.js";
import { cover } from "./cover.js";
import { alertBox, byId, clearAlert, dialog, el, foreign, say } from "./dom.js";
import { listen } from "./keys.js";
import { applyGreyscale, coverMode, loadPerson } from "./person.js";
import { show } from "./text.js";

const root = `/sessions/${document.body.dataset.session}`;
const REASONS = {
  illegal_content: ["May be illegal", "bad"], person_at_risk: ["Somebody in danger", "bad"],
  personal_data: ["Private data", "warn"], wrong_language: ["Wrong language", ""],
  unreadable: ["Unreadable", ""], other: ["Something else", ""],
};
const RESOLUTIONS = { returned: "Back in the queue", excluded: "Taken out" };
const page = { me: null, desk: null, cursor: null, mode: "hidden", veils: [] };

async function start() {
  try {
    [page.me, page.desk] = await Promise.all([loadPerson(), get(`${root}/desk`)]);
    // Flagged texts are never open at first, unless this person asked for that.
    page.mode = coverMode(page.me.own, { hide_text: true });
    applyGreyscale(page.me.own, page.desk.people);
    support(byId("support"), page.desk.people);
    byId("state").addEventListener("change", () => load());
    byId("more").addEventListener("click", () => load(page.cursor));
    listen({ keys: page.me.own.keys, escape2: blankPage, actions: {}, enabled: () => false });
    await load();
  } catch (problem) {
    byId("loading").hidden = true;
    alertBox(problem.detail ?? problem.message);
  }
}

async function load(cursor = null) {
  clearAlert();
  try {
    const state = byId("state").value;
    const joint = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const found = await get(`${root}/flags?state=${state}&limit=20${joint}`);
    page.cursor = found.next_cursor ?? null;
    byId("more").hidden = !page.cursor;
    const cards = found.data.map(card);
    if (cursor) byId("flags").append(...cards);
    else byId("flags").replaceChildren(...cards);
    byId("empty").hidden = byId("flags").children.length > 0;
  } catch (problem) {
    alertBox(problem.detail ?? problem.message);
  }
  byId("loading").hidden = true;
}

function card(flag) {
  const [name, tone] = REASONS[flag.reason] ?? [flag.reason, ""];
  const illegal = flag.reason === "illegal_content";
  const id = `flag-${flag.id}`;
  const text = el("div", {});
  if (illegal || flag.text === undefined || flag.text === null) text.append(illegal ? stopNotice() : el("p", { class: "soft" }, "The text is not shown."));
  else cover(text, () => [show(el("div", { class: "foreign the-text", tabindex: "0", role: "group", "aria-label": "The flagged text" }), flag.text)], { mode: page.mode, key: null });
  const facts = el("dl", { class: "facts small" },
    el("dt", {}, "Flagged"), el("dd", {}, when(flag.created_at), flag.annotator_id ? [" by ", flag.name ?? flag.annotator_id].join("") : ""),
    el("dt", {}, "Item"), el("dd", {}, foreign(flag.external_id ?? flag.item_id)),
    ...(flag.note ? [el("dt", {}, "Note"), el("dd", { class: "foreign" }, foreign(flag.note))] : []),
    ...(flag.resolution ? [el("dt", {}, "Decided"), el("dd", {}, `${RESOLUTIONS[flag.resolution] ?? flag.resolution}, ${when(flag.resolved_at)}`)] : []));
  const made = el("section", { class: "card stack", "aria-labelledby": id },
    el("h2", { id, class: "row" }, el("span", { class: `badge ${tone}` }, tone ? "⚠ " : "", name)), text, facts,
    flag.state === "open" ? resolveForm(flag, () => made) : null);
  return made;
}

function stopNotice() {
  return el("div", { class: "notice bad" },
    el("p", {}, el("strong", {}, "Stop. Do not look for the text, copy it or pass it on.")),
    el("p", {}, "It was taken out when it was flagged, and no page shows it again. Report it as your organisation and the law ask you to, by its item id."));
}

function resolveForm(flag, cardOf) {
  const note = el("input", { id: `note-${flag.id}`, maxlength: "2000", autocomplete: "off" });
  const act = (resolution) => async () => {
    if (flag.reason === "illegal_content" && resolution === "returned" && !(await sure())) return;
    clearAlert();
    try {
      const text = note.value.trim();
      await post(`${root}/flags/${flag.id}/resolve`, { resolution, ...(text ? { note: text } : {}) });
      say(`${RESOLUTIONS[resolution]}.`);
      const next = cardOf().nextElementSibling ?? byId("state");
      cardOf().remove();
      byId("empty").hidden = byId("flags").children.length > 0;
      (next.querySelector?.("button") ?? next).focus();
    } catch (problem) {
      alertBox(problem.detail ?? problem.message);
    }
  };
  return el("div", { class: "stack" },
    el("div", { class: "field" }, el("label", { for: note.id }, "Note ", el("span", { class: "soft" }, "(optional, never the text itself)")), note),
    el("div", { class: "row" },
      el("button", { type: "button", class: "main", onclick: act("excluded") }, flag.reason === "illegal_content" ? "Confirm: keep it out" : "Take it out"),
      el("button", { type: "button", onclick: act("returned") }, "Back to the queue")));
}

/** Asks before a text that may be illegal goes to people again. */
function sure() {
  return new Promise((answer) => {
    const box = dialog("Show it to people again?",
      el("p", {}, "This text was flagged as illegal. Back in the queue, somebody will read it. Only do this when you know that it is not."),
      el("div", { class: "row" },
        el("button", { type: "button", class: "bad", onclick: () => { answer(true); box.close(); } }, "Yes, back to the queue"),
        el("button", { type: "button", onclick: () => box.close() }, "No")));
    box.addEventListener("close", () => answer(false));
  });
}

function when(time) {
  return time ? new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "";
}

function blankPage() {
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  byId("flags").replaceChildren(el("section", { class: "card empty" }, el("h2", {}, "Everything is out of sight"),
    el("p", {}, el("button", { type: "button", class: "main", onclick: () => load() }, "Go on"))));
}

start();
