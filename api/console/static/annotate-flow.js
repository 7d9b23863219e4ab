// What comes next on the annotate page: the next text, or why there is none just now.

import { itemNodes, metadataRows, face } from "./annotate-view.js";
import { drawChoice, drawSitting, keepDraft, page, takeDraft } from "./annotate-sitting.js";
import { cover } from "./cover.js";
import { byId, clearAlert, el, say } from "./dom.js";
import { closedFor, pauseFor } from "./pauses.js";

const ENDED = {
  title: "Your lease ended",
  text: "You were away, so the text went back to the queue. Every answer you gave was kept; of this text nothing was stored. What you had chosen or written is here again if it comes back to you.",
};
const ELSEWHERE = {
  title: "This text is open elsewhere",
  text: "It is open in another tab or window of yours now; answer it there. Every answer you gave was kept.",
};

/** Claims wait until all that was decided has been sent, because a claim renews tokens. */
export function claim() {
  page.claiming ??= (async () => {
    await page.outbox.flush();
    if (page.outbox.size) return { reason: "waiting", retry_after_s: null };
    return page.leases.claim();
  })().finally(() => { page.claiming = null; });
  return page.claiming;
}

/** Show the next text, or say why there is none. */
export async function next() {
  if (page.blank) return;
  let found = null;
  let problem = null;
  if (!page.leases.first) {
    byId("contents").replaceChildren(el("p", { class: "soft" }, "The next text is coming…"));
    byId("metadata").hidden = true;
    try {
      found = await claim();
      // What came back may be a text whose answer was still on its way.
      if (!page.leases.first && found.assignments?.length) found = await claim();
    } catch (error) {
      problem = error;
    }
  }
  if (page.blank) return;
  byId("loading").hidden = true;
  const first = page.leases.first;
  if (first) {
    showItem(first);
    if (page.leases.held.length === 1) claim().catch(() => {});
  } else if (problem) restFor(problem);
  else if (found?.reason === "waiting") rest({ title: "Waiting for the connection", text: "Your answers are kept here and sent as soon as the server can be reached. Leave this page open." });
  else rest(pauseFor(found?.reason, found?.retry_after_s));
}

function restFor(problem) {
  if (problem.code === "offline") rest({ title: "No connection", text: "New texts come as soon as the server can be reached." });
  else rest(closedFor(problem));
}

/** Put this text in view. */
export function showItem(assignment) {
  const draft = takeDraft(assignment.item.id);
  Object.assign(page, { current: assignment, resting: null, chosen: draft.chosen, shownAt: performance.now() });
  closeAsking();
  byId("rest").hidden = true;
  byId("work").hidden = false;
  byId("note").value = draft.note;
  byId("note-field").hidden = !draft.note;
  byId("item-title").textContent = `Text ${page.count.answered + page.count.skipped + page.count.flagged + 1} of this sitting`;
  page.veil = cover(byId("contents"), () => itemNodes(assignment.item), {
    mode: page.mode, key: page.me.own.keys.blur, onchange: revealed,
  });
  metadataRows(byId("metadata"), assignment.item.metadata);
  drawChoice();
  drawLease();
  byId("item").focus({ preventScroll: true });
  if (document.documentElement.scrollHeight > innerHeight) byId("item").scrollIntoView({ block: "nearest" });
  say(page.mode === "shown" ? "Next text." : "Next text, covered.");
}

function revealed(open) {
  if (open) page.shownAt = performance.now();
  face("do-blur", open ? "Cover" : "Show", page.me.own.keys.blur);
}

/** The question about the text in view is gone. */
export function closeAsking() {
  page.asking = null;
  byId("skip-panel").hidden = true;
  byId("skip-panel").replaceChildren();
  byId("item").focus({ preventScroll: true });
}

/** Put everything away and say why. Where a lease ended, one key goes on. */
export function rest({ title, text }, { goOn = "Look again", actions = null, kind = "wait" } = {}) {
  page.resting = kind;
  page.current = null;
  byId("contents").replaceChildren();
  byId("metadata").replaceChildren();
  byId("work").hidden = true;
  byId("rest").hidden = false;
  byId("rest-title").textContent = title;
  byId("rest-text").textContent = text;
  const again = el("button", { type: "button", class: "main", onclick: goOnWorking }, goOn);
  byId("rest-actions").replaceChildren(...(actions ?? [again]));
  byId("rest-undo").hidden = page.blank || page.recent.length === 0;
  (kind === "ended" ? again : byId("rest")).focus();
  drawSitting();
}

function goOnWorking() {
  page.resting = null;
  next();
}

/** The lease of the text in view is gone: say so, and wait for the person to go on. */
export function leaseEnded(assignment, problem) {
  // A flag that is being written can still be sent; the countdown asks again afterwards.
  if (assignment !== page.current || document.querySelector("dialog[open]")) return;
  keepDraft();
  page.leases.releaseAll();
  rest(problem.code === "lease-not-yours" ? ELSEWHERE : ENDED, { goOn: "Go on", kind: "ended" });
}

/** The countdown; at its end the lease is asked for again, or left where nobody is there. */
export function drawLease() {
  if (!page.current) return;
  const left = page.leases.secondsLeft(page.current);
  const minutes = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  byId("lease").textContent = left > 0 ? `Held for you: ${minutes}` : "Your lease is being checked…";
  if (left > 0) return;
  if (page.leases.idle) leaseEnded(page.current, { code: "away" });
  else if (!document.hidden) page.leases.renew(page.current);
}

/** Two Escapes: everything off the page and back in the queue, at once. */
export function blankPage() {
  if (page.blank || !page.leases) return;
  const left = page.current;
  page.blank = true;
  page.current = null;
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  page.leases.releaseAll();
  byId("loading").hidden = true;
  clearAlert();
  const same = el("button", { type: "button", onclick: () => resume() }, "Go on");
  const other = left
    ? el("button", { type: "button", class: "main", onclick: () => resume(left.id) }, "Go on with another text")
    : null;
  rest(
    { title: "Everything is out of sight", text: "The text went back to the queue. This has no effect on you or your numbers. Go on when you are ready, or not at all." },
    { actions: [other, same].filter(Boolean), kind: "blank" },
  );
}

/** Back to work; the text that was left is skipped unseen where the person wants that. */
async function resume(withoutId) {
  page.blank = false;
  page.resting = null;
  byId("rest").hidden = true;
  byId("loading").hidden = false;
  try {
    await claim();
    const left = page.leases.held.find((one) => one.id === withoutId);
    if (left) {
      page.leases.drop(left);
      page.outbox.add({ kind: "skip", assignment_id: left.id, item_id: left.item.id, lease_token: left.lease_token, reason: "blanked" });
    }
  } catch {
    // `next` meets the same trouble and says so.
  }
  next();
}
