// The review page: what a program wrote, decided by a person, one by one or alike ones together.

import { get, post } from "./api.js";
import { cover } from "./cover.js";
import { alertBox, byId, clearAlert, el, plural, say } from "./dom.js";
import { face } from "./annotate-view.js";
import { listen, printed } from "./keys.js";
import { labelPanel } from "./label-panel.js";
import { applyGreyscale, coverMode, loadPerson } from "./person.js";
import { about, alikeTo, decideTogether, pairNodes, put, reviewHelp, tags } from "./review-view.js";

const sessionId = document.body.dataset.session;
const root = `/sessions/${sessionId}`;
const page = { me: null, desk: null, rows: [], at: 0, seeds: new Map(), veil: null, asking: null, busy: false, cursor: null, shownAt: 0, mode: "shown", blank: false };
const row = () => page.rows[page.at];
const nameOf = (id) => page.desk.task.labels.find((label) => label.id === id)?.name || id;

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
  const found = await get(`${root}/generations?state=proposed&limit=200`);
  Object.assign(page, { rows: found.data, more: found.has_more, at: 0, blank: false });
  byId("loading").hidden = true;
  await draw();
}

/** The text that a variation varies; kept for its siblings. */
function seedOf(one) {
  if (!page.seeds.has(one.seed_item_id)) {
    page.seeds.set(one.seed_item_id, get(`${root}/items/${one.seed_item_id}`).catch(() => null));
  }
  return page.seeds.get(one.seed_item_id);
}

async function draw() {
  closeAsk();
  const current = row();
  byId("work").hidden = !current;
  byId("empty").hidden = Boolean(current);
  if (!current) return finished();
  const seed = await seedOf(current);
  if (row() !== current) return undefined;
  page.shownAt = performance.now();
  page.veil = cover(byId("contents"), () => pairNodes(seed, current, nameOf, byId("differences").checked), {
    mode: page.mode, key: page.me.own.keys.blur,
    onchange: (open) => { page.shownAt = performance.now(); face("do-blur", open ? "Cover" : "Show", page.me.own.keys.blur); },
  });
  put("about", about(current, nameOf));
  put("tags", tags(current.screens));
  const open = page.rows.filter((one) => one.state === "proposed").length;
  byId("position").textContent = `${page.at + 1} of ${page.rows.length}${page.more ? "+" : ""} · ${open} open`;
  byId("item-title").textContent = `Variation ${page.at + 1}`;
  const alike = alikeTo(current, page.rows);
  byId("alike").hidden = alike.length === 0;
  byId("alike-title").textContent = `${plural(alike.length, "near-duplicate")} of this variation`;
  byId("do-previous").disabled = page.at === 0;
  byId("item").focus({ preventScroll: true });
  if (page.rows[page.at + 1]) seedOf(page.rows[page.at + 1]);
  return undefined;
}

function finished() {
  const left = page.rows.filter((one) => one.state === "proposed").length;
  byId("position").textContent = "";
  if (left) byId("empty-title").textContent = `The end, with ${left} still open`;
  else byId("empty-title").textContent = page.rows.length ? "All of these are decided" : "Nothing to review";
  byId("empty-text").textContent = left || page.more ? "There is more to decide." : "New variations come when somebody starts a generation.";
  byId("look-again").textContent = left || page.more ? "Go on" : "Look again";
  byId("empty").focus();
}

// --- deciding ---------------------------------------------------------------------------

function ready() {
  if (!row() || page.busy || page.blank || !page.veil) return false;
  if (!page.veil.open) {
    say(`Show the texts first: ${printed(page.me.own.keys.blur)}.`);
    byId("contents").querySelector(".reveal")?.focus();
    return false;
  }
  return performance.now() - page.shownAt >= 150;
}

async function decide(decision, facts = {}) {
  const current = row();
  page.busy = true;
  clearAlert();
  try {
    const options = current.state === "proposed" ? {} : { ifMatch: `"${current.revision}"` };
    const result = await post(`${root}/generations/${current.id}/review`, { decision, ...facts }, options);
    Object.assign(current, { state: result.state ?? "decided", revision: result.revision ?? current.revision + 1 });
    if (facts.text !== undefined) current.text = facts.text;
    if (facts.labels) current.labels = facts.labels;
    say(`Variation ${page.at + 1}: ${current.state}.`);
    page.busy = false;
    onwards();
  } catch (problem) {
    alertBox(problem.code === "offline" ? "No connection: nothing was decided. Try again." : problem.detail);
    if (["already-reviewed", "generation-decided"].includes(problem.code) || problem.status === 412) refresh(current);
  } finally {
    page.busy = false;
  }
}

/** What somebody else has decided meanwhile. */
async function refresh(current) {
  try {
    Object.assign(current, await get(`${root}/generations/${current.id}`));
    draw();
  } catch {
    // The message above stays; there is nothing newer to show.
  }
}

/** The next open variation, or the end. */
function onwards() {
  const later = page.rows.findIndex((one, index) => index > page.at && one.state === "proposed");
  const earlier = page.rows.findIndex((one) => one.state === "proposed");
  page.at = later >= 0 ? later : earlier >= 0 ? earlier : page.rows.length;
  draw();
}

function step(by) {
  if (page.asking || page.blank) return;
  const to = Math.min(page.rows.length, Math.max(0, page.at + by));
  if (to === page.at) return;
  page.at = to;
  draw();
}

function edit() {
  if (!ready() || page.asking) return;
  const text = el("textarea", { id: "edit-text", rows: "6", dir: "auto", autocomplete: "off", spellcheck: "false" });
  text.value = row().text;
  const save = () => {
    if (!text.value.trim()) { alertBox("A text has at least one character."); return; }
    decide("edit", { text: text.value });
  };
  const box = byId("ask");
  box.replaceChildren(el("h3", {}, "Edit the variation"),
    el("div", { class: "field" }, el("label", { for: "edit-text" }, "Its text"), text),
    el("div", { class: "row" }, el("button", { type: "button", class: "main", onclick: save }, "Save ", el("kbd", {}, "ctrl enter")),
      el("button", { type: "button", class: "quiet", onclick: closeAsk }, "Cancel ", el("kbd", {}, "esc"))));
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
  });
  page.asking = { digit: () => {}, submit: () => {} };
  box.hidden = false;
  text.focus();
}

function relabel() {
  if (!ready() || page.asking) return;
  page.asking = labelPanel(byId("ask"), {
    title: "Which label is right?", labels: page.desk.task.labels, multi: page.desk.task.type === "multi",
    chosen: row().labels, submitText: "Relabel", submitKey: page.me.own.keys.submit,
    taken: (labels) => decide("relabel", { labels }), cancel: closeAsk,
  });
  byId("ask").focus();
}

function closeAsk() {
  page.asking = null;
  byId("ask").hidden = true;
  byId("ask").replaceChildren();
  if (row()) byId("item").focus({ preventScroll: true });
}

function together() {
  if (!row()) return;
  const rows = [row(), ...alikeTo(row(), page.rows)].filter((one) => one.state === "proposed");
  decideTogether(rows, { names: nameOf, covered: !page.veil.open, decide: decideMany });
}

async function decideMany(decision, rows) {
  page.busy = true;
  clearAlert();
  try {
    const decisions = rows.map((one) => ({ generation_id: one.id, decision, expected_revision: one.revision }));
    const result = await post(`${root}/generations/review`, { decisions, mode: "partial" });
    for (const outcome of result.results) {
      if (!outcome.error) Object.assign(rows[outcome.index], { state: outcome.state, revision: outcome.revision });
    }
    if (result.failed) alertBox(`${plural(result.failed, "variation")} had been decided by somebody else and stayed as they are.`);
    say(`${plural(rows.length - result.failed, "variation")} decided.`);
    if (row()?.state === "proposed") draw();
    else onwards();
  } catch (problem) {
    alertBox(problem.detail ?? problem.message);
  } finally {
    page.busy = false;
  }
}

function blankPage() {
  page.blank = true;
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  closeAsk();
  byId("contents").replaceChildren();
  byId("work").hidden = true;
  byId("empty").hidden = false;
  byId("empty-title").textContent = "Everything is out of sight";
  byId("empty-text").textContent = "Nothing was decided. Go on when you are ready, or not at all.";
  byId("look-again").textContent = "Go on";
  byId("empty").focus();
}

function drawFrame() {
  const { keys } = page.me.own;
  const acts = [
    ["do-accept", "Accept", keys.accept, () => { if (!page.asking && ready()) decide("accept"); }],
    ["do-edit", "Edit", keys.edit, edit], ["do-relabel", "Relabel", keys.relabel, relabel],
    ["do-reject", "Reject", keys.reject, () => { if (!page.asking && ready()) decide("reject"); }],
    ["do-blur", "Cover", keys.blur, () => page.veil?.toggle()],
    ["do-previous", "Previous", keys.previous, () => step(-1)], ["do-next", "Next", keys.next, () => step(1)],
    ["do-help", "Keys", keys.help, () => reviewHelp(keys, printed)],
  ];
  const actions = {};
  for (const [id, text, key, act] of acts) {
    face(id, text, key).addEventListener("click", act);
    actions[id.slice(3)] = act;
  }
  byId("open-alike").addEventListener("click", together);
  byId("look-again").addEventListener("click", () => load().catch((problem) => alertBox(problem.detail ?? problem.message)));
  byId("differences").addEventListener("change", draw);
  listen({
    keys, actions: { ...actions, submit: () => page.asking?.submit() }, escape2: blankPage,
    digit: (number) => page.asking?.digit(number - 1),
    enabled: () => page.me.own.single_keys && !page.blank,
  });
  addEventListener("keydown", (event) => { if (event.key === "Escape" && page.asking) closeAsk(); });
}

start();
