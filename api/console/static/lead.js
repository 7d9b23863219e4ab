// The lead's page of a session: where it stands, what runs, and the pictures.

import { Problem, all, get } from "./api.js";
import { alertBox, byId, clearAlert, el } from "./dom.js";
import { kept, replace } from "./lead-cards.js";
import { balance, evenness, funnel, price } from "./lead-labels.js";
import { calibration, confusion, curve, stopping } from "./lead-models.js";
import { NEXT, numbers, phase, warnings } from "./lead-phase.js";
import { clusterMap, doubt } from "./lead-pool.js";
import { agreement, checks } from "./lead-quality.js";
import { cancelBatch, operations, once, retrain, selectBatch, why, writeVariations } from "./lead-work.js";

const LOOK_MS = 6000;
/** While labels come in, figures are worked out again at most this often. */
const DRAW_MS = 30000;
const id = document.body.dataset.session;
const api = `/sessions/${id}`;
const base = `/console/sessions/${id}`;
const links = `/v1${api}`;
const work = operations({ session: id, ended: () => refresh({ figures: true }) });
const drawn = { at: 0, facts: "", map: "", stale: true };
let ringed = null;
let seen = null;
let session = null;

const VERBS = [
  ["select", "Select a batch", selectBatch],
  ["generate", "Write variations", writeVariations],
  ["retrain", "Retrain", retrain],
  ["cancel", "Cancel the batch", cancelBatch],
];
const TURNS = [["pause", "Pause"], ["resume", "Go on"], ["reopen", "Reopen"]];

const FIGURES = [balance, evenness, funnel, price, curve, confusion, calibration, stopping, doubt, agreement, checks];

/** What to show again when it changed. */
const mark = (found) => JSON.stringify([found.phase, found.counts, found.spent, found.round, found.active_model_id, found.revision]);

async function refresh({ figures = false } = {}) {
  try {
    session = await get(api);
    session.openBatch = session.open_batch_id ? await get(`${api}/batches/${session.open_batch_id}`) : null;
    clearAlert();
  } catch (error) {
    if (!seen || error instanceof Problem) alertBox(why(error));
    return;
  }
  const now = mark(session);
  const changed = now !== seen;
  seen = now;
  drawn.stale ||= changed || figures;
  if (changed) kept(head, () => byId("where"));
  await Promise.all([
    session.running.length || changed || figures ? work.refresh() : null,
    drawn.stale && (figures || Date.now() - drawn.at > DRAW_MS) ? pictures() : null,
  ]);
}

function head() {
  byId("where").replaceChildren(phase(session, { base }), buttons());
  byId("numbers").replaceChildren(...numbers(session, { base }));
}

function buttons() {
  const done = () => refresh({ figures: true });
  const next = NEXT[session.phase];
  const shown = VERBS.filter(([verb]) => verb !== "cancel" || session.links.cancel);
  return el(
    "div",
    { class: "row verbs" },
    ...shown.map(([verb, text, start]) =>
      el("button", {
        type: "button", id: `do-${verb}`, class: verb === next ? "main" : null, disabled: !session.links[verb],
        onclick: () => start({ api, session, done }),
      }, text)),
    ...TURNS.filter(([verb]) => session.links[verb]).map(([verb, text]) => turn(verb, text, { main: verb === next, done })),
  );
}

function turn(verb, text, { main, done }) {
  const send = once(`${api}/${verb}`);
  const button = el("button", {
    type: "button", id: `do-${verb}`, class: main ? "main" : "quiet",
    onclick: async () => {
      button.disabled = true;
      try {
        await send();
        done();
      } catch (error) {
        alertBox(why(error));
        button.disabled = false;
      }
    },
  }, text);
  return button;
}

/** A figure that cannot be had leaves the others alone. */
const perhaps = (wanted) => wanted.catch((error) => {
  if (error instanceof Problem && error.status === 404) return null;
  throw error;
});

async function pictures() {
  drawn.at = Date.now();
  drawn.stale = false;
  try {
    const [metrics, learning, quality, cost, people] = await Promise.all([
      get(`${api}/metrics`), get(`${api}/metrics/learning-curve`), get(`${api}/metrics/models`), get(`${api}/metrics/cost`),
      perhaps(get(`${api}/quality`)),
    ]);
    const facts = { metrics, learning, quality, cost, people, api: links, base };
    if (news("facts", facts)) {
      byId("warnings").replaceChildren(...warnings(metrics.warnings, metrics.counts));
      for (const figure of FIGURES) {
        const made = figure(facts);
        replace(made.id, made);
      }
    }
    await pool();
  } catch (error) {
    alertBox(`Some pictures could not be drawn: ${why(error)}`);
  }
}

/** Whether these facts are others than those that were drawn last. */
function news(name, facts) {
  const text = JSON.stringify(facts);
  const other = text !== drawn[name];
  drawn[name] = text;
  return other;
}

async function pool() {
  const asked = ringed ? `?batch_id=${encodeURIComponent(ringed)}` : "";
  const [clusters, batches] = await Promise.all([get(`${api}/metrics/clusters${asked}`), all(`${api}/batches?limit=200`)]);
  if (news("map", { clusters, batches })) replace("map", clusterMap({ clusters, batches, api: links }, { again }));
}

/** Ring another batch, and keep it until somebody chooses again. */
async function again(batch) {
  ringed = batch;
  try {
    await pool();
  } catch (error) {
    alertBox(why(error));
  }
}

async function watch() {
  if (document.visibilityState === "visible") await refresh();
  setTimeout(watch, LOOK_MS);
}

watch();
