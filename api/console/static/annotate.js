// The annotate page: one text at a time, answered by keys, nothing lost and nothing doubled.

import { showHelp } from "./annotate-asks.js";
import { choose, flag, refused, sent, skip, submit } from "./annotate-answers.js";
import { blankPage, closeAsking, drawLease, leaseEnded, next } from "./annotate-flow.js";
import { drawSitting, labels, multi, page, sessionId } from "./annotate-sitting.js";
import { loadRecent, undo } from "./annotate-undo.js";
import { face, guidelinesText, labelOptions, support } from "./annotate-view.js";
import { get } from "./api.js";
import { alertBox, byId } from "./dom.js";
import { listen } from "./keys.js";
import { Leases } from "./leases.js";
import { Outbox } from "./outbox.js";
import { applyGreyscale, coverMode, loadPerson } from "./person.js";

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
  page.undo = undo;
  drawFrame();
  listenToKeys();
  setInterval(drawLease, 1000);
  await loadRecent();
  await page.outbox.flush();
  await next();
}

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
  byId("rest-undo").addEventListener("click", () => undo());
  face("rest-undo", "Undo the last answer", keys.undo);
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

addEventListener("tailwise:leaving", () => page.leases?.releaseAll());
start();
