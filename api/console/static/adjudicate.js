// The adjudication page: differing answers side by side, names hidden until decided.

import { face, guidelinesText, itemNodes, metadataRows } from "./annotate-view.js";
import { get, post } from "./api.js";
import { cover } from "./cover.js";
import { alertBox, byId, clearAlert, el, foreign, say } from "./dom.js";
import { listen, printed } from "./keys.js";
import { labelPanel } from "./label-panel.js";
import { applyGreyscale, coverMode, loadPerson } from "./person.js";

const root = `/sessions/${document.body.dataset.session}`;
const page = { me: null, desk: null, rows: [], at: 0, veil: null, panel: null, busy: false, blank: false, shownAt: 0, mode: "shown" };
const row = () => page.rows[page.at];
const nameOf = (id) => page.desk.task.labels.find((label) => label.id === id)?.name || id;
const multi = () => page.desk.task.type === "multi";

async function start() {
  try {
    [page.me, page.desk] = await Promise.all([loadPerson(), get(`${root}/desk`)]);
    page.mode = coverMode(page.me.own, page.desk.people);
    applyGreyscale(page.me.own, page.desk.people);
    drawFrame();
    await load();
  } catch (problem) {
    byId("loading").hidden = true;
    alertBox(problem.detail ?? problem.message);
  }
}

async function load() {
  const found = await get(`${root}/conflicts?limit=200`);
  Object.assign(page, { rows: found.data, more: Boolean(found.has_more), at: 0, blank: false });
  byId("loading").hidden = true;
  draw();
}

function draw() {
  const current = row();
  byId("work").hidden = !current;
  byId("empty").hidden = Boolean(current);
  if (!current) {
    byId("position").textContent = "";
    const left = page.rows.filter((one) => !one.decided).length;
    if (left) byId("empty-title").textContent = `The end, with ${left} still open`;
    else byId("empty-title").textContent = page.rows.length ? "All of these are decided" : "Nobody disagrees";
    byId("empty-text").textContent = left || page.more ? "There is more to decide." : "No text waits for a decision.";
    byId("look-again").textContent = left || page.more ? "Go on" : "Look again";
    byId("empty").focus();
    return;
  }
  byId("position").textContent = `${page.at + 1} of ${page.rows.length}${page.more ? "+" : ""}`;
  byId("item-title").textContent = `Text ${page.at + 1}`;
  page.shownAt = performance.now();
  page.veil = cover(byId("contents"), () => itemNodes({ ...current, text: current.text ?? "" }), {
    mode: page.mode, key: page.me.own.keys.blur,
    onchange: (open) => { page.shownAt = performance.now(); face("do-blur", open ? "Cover" : "Show", page.me.own.keys.blur); },
  });
  metadataRows(byId("metadata"), current.metadata);
  drawVoices(current.answers);
  drawDeciding(current);
  byId("do-previous").disabled = page.at === 0;
  byId("item").focus({ preventScroll: true });
}

function drawVoices(answers) {
  byId("voices").replaceChildren(...answers.map((answer) => {
    const name = answer.name ?? answer.annotator_id;
    return el("li", { class: "voice" },
      el("p", { class: "who" }, `Person ${answer.who}`, name ? el("span", { class: "soft" }, " · ", foreign(name)) : null),
      el("div", { class: "row" }, ...(answer.labels.length ? answer.labels.map((id) => el("span", { class: "badge accent" }, foreign(nameOf(id)))) : [el("span", { class: "badge" }, "None of them")])),
      answer.note ? el("p", { class: "note foreign" }, foreign(answer.note)) : null);
  }));
}

function drawDeciding(current) {
  const decided = Boolean(current.decided);
  byId("deciding").hidden = decided;
  byId("decided").hidden = !decided;
  page.panel = null;
  if (decided) {
    byId("outcome").replaceChildren("Decided: ", foreign(current.decided.length ? current.decided.map(nameOf).join(", ") : "none of them"));
    face("go-on", "Next", page.me.own.keys.submit);
    byId("decided").focus({ preventScroll: true });
    return;
  }
  const note = el("textarea", { id: "note", class: "low", rows: "2", maxlength: "2000", autocomplete: "off" });
  page.panel = labelPanel(byId("ask"), {
    title: multi() ? "Your decision: which apply?" : "Your decision", labels: page.desk.task.labels, multi: multi(),
    submitText: "Decide", submitKey: page.me.own.keys.submit, taken: (labels) => decide(labels),
    extra: el("div", { class: "field" }, el("label", { for: "note" }, "Why ", el("span", { class: "soft" }, "(optional)")), note),
  });
}

function ready() {
  if (!row() || page.busy || page.blank) return false;
  if (!page.veil.open) {
    say(`Show the text first: ${printed(page.me.own.keys.blur)}.`);
    byId("contents").querySelector(".reveal")?.focus();
    return false;
  }
  return performance.now() - page.shownAt >= 150;
}

async function decide(labels) {
  if (!ready()) return;
  const current = row();
  const note = byId("note").value.trim();
  page.busy = true;
  clearAlert();
  try {
    const result = await post(`${root}/items/${current.item_id}/adjudicate`, { labels, ...(note ? { note } : {}) });
    const notes = new Map(current.answers.map((answer) => [answer.who, answer.note]));
    current.answers = result.answers.map((answer) => ({ note: notes.get(answer.who), ...answer }));
    current.decided = labels;
    say("Decided. The names are shown now.");
    drawVoices(current.answers);
    drawDeciding(current);
  } catch (problem) {
    alertBox(problem.code === "no-conflict" ? "Somebody else has decided this text meanwhile." : problem.detail);
    if (problem.code === "no-conflict") { page.rows.splice(page.at, 1); draw(); }
  } finally {
    page.busy = false;
  }
}

function step(by) {
  if (page.blank) return;
  const to = Math.min(page.rows.length, Math.max(0, page.at + by));
  if (to === page.at) return;
  page.at = to;
  draw();
}

function blankPage() {
  page.blank = true;
  byId("contents").replaceChildren();
  byId("work").hidden = true;
  byId("empty").hidden = false;
  byId("empty-title").textContent = "Everything is out of sight";
  byId("empty-text").textContent = "Nothing was decided. Go on when you are ready, or not at all.";
  byId("look-again").textContent = "Go on";
  byId("empty").focus();
}

function toggleGuidelines() {
  const box = byId("guidelines");
  box.hidden = !box.hidden;
  byId("do-guidelines").setAttribute("aria-expanded", String(!box.hidden));
  (box.hidden ? byId("item") : byId("guidelines-text")).focus();
}

function drawFrame() {
  const { keys } = page.me.own;
  const blur = () => page.veil?.toggle();
  face("do-blur", "Cover", keys.blur).addEventListener("click", blur);
  face("do-guidelines", "Guidelines", keys.guidelines).addEventListener("click", toggleGuidelines);
  face("do-previous", "Previous", keys.previous).addEventListener("click", () => step(-1));
  face("do-next", "Next", keys.next).addEventListener("click", () => step(1));
  byId("go-on").addEventListener("click", () => step(1));
  byId("look-again").addEventListener("click", () => load().catch((problem) => alertBox(problem.detail ?? problem.message)));
  byId("do-guidelines").hidden = !page.desk.guidelines;
  guidelinesText(byId("guidelines-text"), byId("guidelines-found"), page.desk.guidelines ?? "", "");
  listen({
    keys, escape2: blankPage, digit: (number) => { if (ready()) page.panel?.digit(number - 1); },
    enabled: () => page.me.own.single_keys && !page.blank,
    actions: {
      submit: () => (row()?.decided ? step(1) : page.panel?.submit()), blur, guidelines: toggleGuidelines,
      next: () => step(1), previous: () => step(-1),
    },
  });
}

start();
