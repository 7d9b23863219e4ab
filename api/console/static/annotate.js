// The annotate page: one text at a time, answered by keys, nothing lost and nothing doubled.

import { face, guidelinesText, itemNodes, labelOptions, metadataRows, support } from "./annotate-view.js";
import { get, post } from "./api.js";
import { cover } from "./cover.js";
import { alertBox, byId, clearAlert, el, foreign, plural, say } from "./dom.js";
import { askFlag, showHelp, skipPanel } from "./annotate-asks.js";
import { listen, printed } from "./keys.js";
import { Leases } from "./leases.js";
import { Outbox } from "./outbox.js";
import { closedFor, pauseFor } from "./pauses.js";
import { applyGreyscale, coverMode, loadPerson } from "./person.js";

const LEAST_VIEW_MS = 150;
const RECENT = 10;
const sessionId = document.body.dataset.session;
const page = {
  me: null, desk: null, leases: null, outbox: null, current: null, veil: null, shownAt: 0,
  chosen: new Set(), buttons: [], recent: [], blank: false, resting: false, claiming: null,
  asking: null, count: { answered: 0, skipped: 0, flagged: 0 }, since: Date.now(), mode: "shown",
};
const labels = () => page.desk.task.labels;
const multi = () => page.desk.task.type === "multi";
const nameOf = (id) => labels().find((label) => label.id === id)?.name || id;
const namesOf = (ids) => (ids.length ? ids.map(nameOf).join(", ") : "none of them");

async function start() {
  try {
    [page.me, page.desk] = await Promise.all([loadPerson(), get(`/sessions/${sessionId}/desk`)]);
  } catch (problem) {
    byId("loading").hidden = true;
    alertBox(problem.code === "offline" ? "The server cannot be reached. Load the page again when the connection is back." : problem.detail);
    return;
  }
  page.mode = coverMode(page.me.own, page.desk.people);
  applyGreyscale(page.me.own, page.desk.people);
  page.leases = new Leases({ sessionId, own: page.me.own, ended: leaseEnded });
  page.outbox = new Outbox({
    sessionId, personId: page.me.id, leases: page.leases, sent, refused, changed: drawSitting,
  });
  drawFrame();
  listenToKeys();
  setInterval(drawLease, 1000);
  await loadRecent();
  await page.outbox.flush();
  await next();
}

// --- what comes next -----------------------------------------------------------------

/** Claims wait until all that was decided has been sent, because a claim renews tokens. */
function claim() {
  page.claiming ??= (async () => {
    await page.outbox.flush();
    if (page.outbox.size) return { reason: "waiting", retry_after_s: null };
    return page.leases.claim();
  })().finally(() => { page.claiming = null; });
  return page.claiming;
}

async function next() {
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

function showItem(assignment) {
  Object.assign(page, { current: assignment, resting: false, chosen: new Set(), shownAt: performance.now() });
  closeAsking();
  byId("rest").hidden = true;
  byId("work").hidden = false;
  byId("note").value = "";
  byId("note-field").hidden = true;
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

// --- deciding ---------------------------------------------------------------------------

function choose(index) {
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

function submit() {
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

function skip() {
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

function flag() {
  if (!ready({ seen: false }) || page.asking) return;
  askFlag({
    people: page.desk.people,
    illegal: () => byId("contents").replaceChildren(el("p", { class: "soft" }, "The text is out of sight.")),
    kept: () => page.current && showItem(page.current),
    done: (reason, note) => {
      decide({ kind: "flag", reason, note: note || undefined });
      page.count.flagged += 1;
      byId("contents").replaceChildren();
      if (reason === "illegal_content") rest(STOPPED, { goOn: "Go on with another text" });
      else { say("Flagged."); next(); }
    },
  });
}

const STOPPED = {
  title: "You can stop here",
  text: "The text was taken out and nobody sees it here again. Do not copy it, search for it or pass it on; the people in charge were told. Take the time you need.",
};

function closeAsking() {
  page.asking = null;
  byId("skip-panel").hidden = true;
  byId("skip-panel").replaceChildren();
  byId("item").focus({ preventScroll: true });
}

// --- undo ---------------------------------------------------------------------------------

function remember(row) {
  page.recent = [row, ...page.recent].slice(0, RECENT);
  drawRecent();
}

async function loadRecent() {
  try {
    const found = await get(`/sessions/${sessionId}/labels/mine?limit=${RECENT}`);
    page.recent = found.data.filter((row) => row.undoable).map((row) => ({ label_id: row.label_id, item_id: row.item_id, labels: row.labels }));
  } catch {
    page.recent = [];
  }
  drawRecent();
}

async function undo(row = page.recent[0]) {
  if (!row || row.undoing) return;
  row.undoing = true;
  try {
    if (row.entry_id && page.outbox.withdraw(row.entry_id)) {
      forget(row);
      page.leases.restore(row.assignment);
      showItem(row.assignment);
      return;
    }
    if (!row.label_id) await page.outbox.flush();
    if (!row.label_id) throw Object.assign(new Error(), { detail: "This answer is on its way. It can be taken back when the connection is back." });
    await post(`/sessions/${sessionId}/labels/${row.label_id}/undo`, undefined, { retry: true });
    forget(row);
    say(`Taken back: ${namesOf(row.labels)}.`);
    await comeBack(row);
  } catch (problem) {
    if (problem.code === "undo-window-closed" || problem.status === 404) forget(row);
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

function forget(row) {
  page.recent = page.recent.filter((one) => one !== row);
  page.count.answered = Math.max(0, page.count.answered - (row.entry_id ? 1 : 0));
  drawRecent();
}

// --- what became of it ------------------------------------------------------------------

function sent(entry, result) {
  const row = page.recent.find((one) => one.entry_id === entry.id);
  const stored = entry.kind === "label" ? result.results?.[0] : null;
  if (row && stored?.label_id) row.label_id = stored.label_id;
  if (page.resting && !page.blank && page.outbox.size === 0 && page.resting !== "stop") next();
}

const NOT_NEEDED = new Set(["overlap-reached", "batch-closed", "item-excluded", "item-not-selected", "item-already-resolved", "already-labelled", "lease-expired"]);

function refused(entry, problem) {
  page.recent = page.recent.filter((one) => one.entry_id !== entry.id);
  drawRecent();
  const what = { label: "answer", skip: "skip", flag: "flag" }[entry.kind];
  if (problem.code === "lease-not-yours") alertBox(`The text is open in another tab or window of yours; answer it there. This ${what} was not stored.`);
  else if (NOT_NEEDED.has(problem.code)) alertBox(`Your lease had ended, and the text has been dealt with since. Your ${what} was not needed, and it does not count against you.`);
  else alertBox(`Your ${what} could not be stored: ${problem.detail}`);
}

function leaseEnded(assignment, problem) {
  if (assignment !== page.current) return;
  page.current = null;
  const elsewhere = problem.code === "lease-not-yours";
  alertBox(elsewhere
    ? "This text is open in another tab or window of yours now. Here is the next one."
    : "Your lease ended while you were away, so the text went back to the queue. All your answers were kept. Here is the next text.");
  next();
}

// --- pauses, the blank page ----------------------------------------------------------------

function rest({ title, text }, { goOn = "Look again", act = null, kind = true } = {}) {
  page.resting = title === STOPPED.title ? "stop" : kind;
  page.current = null;
  byId("contents").replaceChildren();
  byId("work").hidden = true;
  byId("rest").hidden = false;
  byId("rest-title").textContent = title;
  byId("rest-text").textContent = text;
  const again = el("button", { type: "button", class: "main", onclick: () => { page.resting = false; next(); } }, goOn);
  byId("rest-actions").replaceChildren(...(act ?? [again, undoButton()]).filter(Boolean));
  byId("rest").focus();
  drawSitting();
}

function undoButton() {
  if (!page.recent.length) return null;
  return el("button", { type: "button", onclick: () => undo() }, "Undo the last answer ", el("kbd", {}, printed(page.me.own.keys.undo)));
}

/** Two Escapes: everything off the page and back in the queue, at once. */
function blankPage() {
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
    { act: [other, same], kind: "blank" },
  );
}

/** Back to work; the text that was left is skipped unseen where the person wants that. */
async function resume(withoutId) {
  page.blank = false;
  page.resting = false;
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

// --- drawing --------------------------------------------------------------------------------

function drawFrame() {
  const { keys } = page.me.own;
  byId("answers-title").textContent = multi() ? "Which of these apply?" : "Which one is it?";
  page.buttons = labelOptions(byId("labels"), labels(), choose, multi());
  byId("submit").hidden = !multi();
  byId("submit").addEventListener("click", submit);
  const acts = [
    ["do-skip", "Skip", keys.skip, skip], ["do-flag", "Flag", keys.flag, flag],
    ["do-undo", "Undo", keys.undo, () => undo()], ["do-blur", "Cover", keys.blur, () => page.veil?.toggle()],
    ["do-note", "Note", keys.note, openNote], ["do-guidelines", "Guidelines", keys.guidelines, toggleGuidelines],
    ["do-help", "Keys", keys.help, () => showHelp(page.me.own, multi())],
  ];
  for (const [id, text, key, act] of acts) face(id, text, key).addEventListener("click", act);
  byId("guidelines-version").textContent = `version ${page.desk.guidelines_version}`;
  byId("do-guidelines").hidden = !page.desk.guidelines;
  const draw = () => guidelinesText(byId("guidelines-text"), byId("guidelines-found"), page.desk.guidelines ?? "", byId("guidelines-search").value);
  byId("guidelines-search").addEventListener("input", draw);
  draw();
  support(byId("support"), page.desk.people);
  support(byId("rest-support"), page.desk.people);
  drawSitting();
}

function listenToKeys() {
  listen({
    keys: page.me.own.keys,
    digit: (number) => choose(number - 1),
    escape2: blankPage,
    enabled: () => page.me.own.single_keys && !page.blank,
    actions: {
      submit, skip, flag, undo: () => undo(), blur: () => page.veil?.toggle(), note: openNote,
      guidelines: toggleGuidelines, help: () => showHelp(page.me.own, multi()),
    },
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && page.asking) closeAsking();
  });
}

function openNote() {
  byId("note-field").hidden = false;
  byId("note").focus();
}

function toggleGuidelines() {
  if (!page.desk.guidelines) return;
  const box = byId("guidelines");
  box.hidden = !box.hidden;
  byId("do-guidelines").setAttribute("aria-expanded", String(!box.hidden));
  if (box.hidden) byId("item").focus({ preventScroll: true });
  else {
    byId("guidelines-text").focus({ preventScroll: true });
    box.scrollIntoView({ block: "nearest" });
  }
}

function drawChoice() {
  if (!multi()) return;
  labels().forEach((label, index) => {
    const on = page.chosen.has(label.id);
    page.buttons[index].setAttribute("aria-pressed", String(on));
    page.buttons[index].querySelector(".tick").textContent = on ? "✓" : "";
  });
  const text = page.chosen.size ? `Submit ${plural(page.chosen.size, "label")}` : "Submit: none applies";
  face("submit", text, page.me.own.keys.submit);
}

function drawLease() {
  if (!page.current) return;
  const left = Math.max(0, Math.round((page.current.until - performance.now()) / 1000));
  const minutes = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  byId("lease").textContent = left > 0 ? `Held for you: ${minutes}` : "Your lease is being checked…";
  if (left === 0 && !document.hidden) page.leases.renew(page.current);
}

function drawRecent() {
  const [last] = page.recent;
  byId("do-undo").disabled = !last;
  byId("last").hidden = !last;
  if (last) byId("last").replaceChildren(el("span", {}, el("span", { class: "soft" }, "Last answer: "), foreign(namesOf(last.labels))));
  byId("recent-box").hidden = page.recent.length === 0;
  byId("recent").replaceChildren(...page.recent.map((row) => el("li", {},
    foreign(namesOf(row.labels)), " ",
    el("button", { type: "button", class: "quiet small", "aria-label": `Undo ${namesOf(row.labels)}`, onclick: () => undo(row) }, "Undo"))));
  drawSitting();
}

function drawSitting() {
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

addEventListener("tailwise:leaving", () => page.leases?.releaseAll());
start();
