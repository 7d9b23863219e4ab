// What a person decides about the text in view, and what became of it.

import { askFlag, skipPanel } from "./annotate-asks.js";
import { closeAsking, next, rest, showItem } from "./annotate-flow.js";
import { drawChoice, forget, labels, multi, page, remember } from "./annotate-sitting.js";
import { alertBox, byId, clearAlert, el, say } from "./dom.js";
import { printed } from "./keys.js";

const LEAST_VIEW_MS = 150;
const STOPPED = {
  title: "You can stop here",
  text: "The text was taken out and nobody sees it here again. Do not copy it, search for it or pass it on; the people in charge were told. Take the time you need.",
};
const NOT_NEEDED = new Set(["overlap-reached", "batch-closed", "item-excluded", "item-not-selected", "item-already-resolved", "already-labelled", "lease-expired"]);

/** True where an answer counts now: an open text that was in view for a moment. */
function ready({ seen = true } = {}) {
  if (!page.current || page.blank || page.resting || document.querySelector("dialog[open]")) return false;
  if (seen && !page.veil.open) {
    say(`Show the text first: ${printed(page.me.own.keys.blur)}.`);
    byId("contents").querySelector(".reveal")?.focus();
    return false;
  }
  return performance.now() - page.shownAt >= LEAST_VIEW_MS;
}

/** The label at this place: the answer, or one of several. */
export function choose(index) {
  if (page.asking) return page.asking.digit(index);
  const label = labels()[index];
  if (!label || !ready()) return undefined;
  if (!multi()) return answer([label.id]);
  if (!page.chosen.delete(label.id)) page.chosen.add(label.id);
  drawChoice();
  byId("item").focus({ preventScroll: true });
  say(`${label.name || label.id}: ${page.chosen.has(label.id) ? "chosen" : "not chosen"}.`);
  return undefined;
}

/** Answer with the chosen labels. */
export function submit() {
  if (!multi() || !ready() || page.asking) return;
  answer(labels().map((label) => label.id).filter((id) => page.chosen.has(id)));
}

function decide(entry) {
  const assignment = page.current;
  page.current = null;
  page.leases.drop(assignment);
  clearAlert();
  const made = page.outbox.add({
    assignment_id: assignment.id, item_id: assignment.item.id, lease_token: assignment.lease_token, ...entry,
  });
  return { ...made, assignment };
}

function answer(chosen) {
  const note = byId("note").value.trim();
  const duration = Math.round(performance.now() - page.shownAt);
  const entry = decide({ kind: "label", labels: chosen, duration_ms: duration, note: note || undefined });
  page.count.answered += 1;
  remember({ entry_id: entry.id, item_id: entry.item_id, labels: chosen, assignment: entry.assignment, label_id: null });
  next();
}

/** Ask why, then leave the text to others; a second time: without a reason. */
export function skip() {
  if (page.asking) return page.asking.repeat?.();
  if (!ready({ seen: false })) return undefined;
  page.asking = skipPanel(byId("skip-panel"), {
    done: (reason) => {
      closeAsking();
      decide({ kind: "skip", reason });
      page.count.skipped += 1;
      say("Skipped.");
      next();
    },
    cancel: closeAsking,
    key: page.me.own.keys.skip,
  });
  return undefined;
}

/** Ask what is wrong with the text, then take it out of the queue. */
export function flag() {
  if (!ready({ seen: false }) || page.asking) return;
  askFlag({
    people: page.desk.people,
    illegal: () => byId("contents").replaceChildren(el("p", { class: "soft" }, "The text is out of sight.")),
    kept: () => page.current && showItem(page.current),
    done: (reason, note) => {
      decide({ kind: "flag", reason, note: note || undefined });
      page.count.flagged += 1;
      byId("contents").replaceChildren();
      if (reason === "illegal_content") rest(STOPPED, { goOn: "Go on with another text", kind: "stop" });
      else { say("Flagged."); next(); }
    },
  });
}

/** The server has stored it. */
export function sent(entry, result) {
  const row = page.recent.find((one) => one.entry_id === entry.id);
  const stored = entry.kind === "label" ? result.results?.[0] : null;
  if (row && stored?.label_id) row.label_id = stored.label_id;
  if (page.resting === "wait" && page.outbox.size === 0) next();
}

/** The server will not take it; `problem` says why. */
export function refused(entry, problem) {
  const row = page.recent.find((one) => one.entry_id === entry.id);
  if (row) forget(row);
  const what = { label: "answer", skip: "skip", flag: "flag" }[entry.kind];
  if (problem.code === "lease-not-yours") alertBox(`The text is open in another tab or window of yours; answer it there. This ${what} was not stored.`);
  else if (NOT_NEEDED.has(problem.code)) alertBox(`Your lease had ended, and the text has been dealt with since. Your ${what} was not needed, and it does not count against you.`);
  else alertBox(`Your ${what} could not be stored: ${problem.detail}`);
}
