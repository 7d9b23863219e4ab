// One person at the annotate page: the text in view, what was decided, and the totals.

import { byId, el, foreign, plural } from "./dom.js";
import { face } from "./annotate-view.js";
import { plain } from "./text.js";

const RECENT = 10;
export const sessionId = document.body.dataset.session;

/**
 * `current` is the assignment in view; `undo(row)` takes an answer back. `resting` is null while one works, else why not:
 * "wait" goes on by itself, "ended", "stop" and "blank" wait for the person. `drafts`
 * hold what was chosen and written about a text whose lease ended, by item id.
 */
export const page = {
  me: null, desk: null, leases: null, outbox: null, undo: null, current: null, veil: null, shownAt: 0,
  chosen: new Set(), buttons: [], drafts: new Map(), recent: [], blank: false, resting: null,
  claiming: null, asking: null, count: { answered: 0, skipped: 0, flagged: 0 }, since: Date.now(), mode: "shown",
};

export const labels = () => page.desk.task.labels;
export const multi = () => page.desk.task.type === "multi";
const nameOf = (id) => labels().find((label) => label.id === id)?.name || id;
export const namesOf = (ids) => (ids.length ? ids.map(nameOf).join(", ") : "none of them");

/** Note an answer as the latest one that can be taken back. */
export function remember(row) {
  page.recent = [row, ...page.recent].slice(0, RECENT);
  drawRecent();
}

/** This answer cannot be taken back any more, or was. */
export function forget(row) {
  page.recent = page.recent.filter((one) => one !== row);
  drawRecent();
}

/** Keep what was chosen and written about the text in view, for when it comes back. */
export function keepDraft() {
  const note = byId("note").value;
  if (page.current && (note || page.chosen.size)) page.drafts.set(page.current.item.id, { note, chosen: page.chosen });
}

/** What was kept of this text: {note, chosen}, empty where nothing was. */
export function takeDraft(itemId) {
  const draft = page.drafts.get(itemId) ?? { note: "", chosen: new Set() };
  page.drafts.delete(itemId);
  return draft;
}

/** The chosen labels of a multi-label session. */
export function drawChoice() {
  if (!multi()) return;
  labels().forEach((label, index) => {
    const on = page.chosen.has(label.id);
    page.buttons[index].setAttribute("aria-pressed", String(on));
    page.buttons[index].querySelector(".tick").textContent = on ? "✓" : "";
  });
  const text = page.chosen.size ? `Submit ${plural(page.chosen.size, "label")}` : "Submit: none applies";
  face("submit", text, page.me.own.keys.submit);
}

/** The last answers. */
export function drawRecent() {
  const [last] = page.recent;
  byId("do-undo").disabled = !last;
  byId("rest-undo").hidden = !last || page.blank;
  byId("last").hidden = !last;
  if (last) byId("last").replaceChildren(el("span", {}, el("span", { class: "soft" }, "Last answer: "), foreign(namesOf(last.labels))));
  byId("recent-box").hidden = page.recent.length === 0;
  byId("recent").replaceChildren(...page.recent.map((row) => el("li", {},
    foreign(namesOf(row.labels)), " ",
    el("button", { type: "button", class: "quiet small", "aria-label": `Undo ${plain(namesOf(row.labels))}`, onclick: () => page.undo(row) }, "Undo"))));
  drawSitting();
}

/** The totals of this sitting. */
export function drawSitting() {
  const { answered, skipped, flagged } = page.count;
  const minutes = Math.floor((Date.now() - page.since) / 60000);
  const waiting = page.outbox?.size ?? 0;
  const parts = [`${answered} answered`];
  if (skipped) parts.push(`${skipped} skipped`);
  if (flagged) parts.push(`${flagged} flagged`);
  if (minutes) parts.push(plural(minutes, "minute"));
  if (waiting) parts.push(`${waiting} not sent yet`);
  for (const id of ["sitting", "rest-sitting"]) byId(id).textContent = parts.join(" · ");
}
