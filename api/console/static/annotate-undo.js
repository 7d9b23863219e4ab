// Answers taken back: before they are sent, after, and the text that comes with them.

import { get, post } from "./api.js";
import { next, showItem } from "./annotate-flow.js";
import { drawRecent, drawSitting, forget, namesOf, page, sessionId } from "./annotate-sitting.js";
import { alertBox, say } from "./dom.js";

/** What could be taken back before this page was loaded. */
export async function loadRecent() {
  try {
    const found = await get(`/sessions/${sessionId}/labels/mine?limit=10`);
    page.recent = found.data.filter((row) => row.undoable).map((row) => ({ label_id: row.label_id, item_id: row.item_id, labels: row.labels }));
  } catch {
    page.recent = [];
  }
  drawRecent();
}

/** Take this answer back, the latest unless told otherwise. */
export async function undo(row = page.recent[0]) {
  if (!row || row.undoing) return;
  row.undoing = true;
  try {
    if (row.entry_id && page.outbox.withdraw(row.entry_id)) {
      takenBack(row);
      page.leases.restore(row.assignment);
      showItem(row.assignment);
      return;
    }
    if (!row.label_id) await page.outbox.flush();
    if (!row.label_id) throw Object.assign(new Error(), { detail: "This answer is on its way. It can be taken back when the connection is back." });
    await post(`/sessions/${sessionId}/labels/${row.label_id}/undo`, undefined, { retry: true });
    takenBack(row);
    say(`Taken back: ${namesOf(row.labels)}.`);
    await comeBack(row);
  } catch (problem) {
    if (problem.code === "undo-window-closed" || problem.status === 404) takenBack(row);
    alertBox(problem.detail ?? problem.message);
  } finally {
    row.undoing = false;
  }
}

/** Show the text again whose answer was taken back. */
async function comeBack(row) {
  if (row.assignment) page.leases.reopen(row.assignment.id);
  else page.leases.done.clear();
  await page.outbox.flush();
  try {
    await page.leases.claim(page.leases.held.length + 1);
  } catch {
    return;
  }
  const back = page.leases.held.find((one) => one.item.id === row.item_id);
  if (!back) {
    say("The answer was taken back.");
    if (!page.current) next();
    return;
  }
  page.leases.held = [back, ...page.leases.held.filter((one) => one !== back)];
  showItem(back);
}

function takenBack(row) {
  forget(row);
  page.count.answered = Math.max(0, page.count.answered - (row.entry_id ? 1 : 0));
  drawSitting();
}
