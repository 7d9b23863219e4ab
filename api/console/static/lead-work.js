// What a lead starts: batches, variations, trainings; and the operations that follow.

import { Problem, all, get, post, randomId } from "./api.js";
import { byId, dialog, el, say } from "./dom.js";
import { ago, dollars, moment, sentence, short, whole, words } from "./lead-format.js";

const LOOK_SECONDS = 2;
const SHOWN = 6;

/** One request per press: the key stays until the server answered, so that a press whose
 * answer was lost is not done twice. */
export function once(path) {
  let key = randomId();
  return async (body, options = {}) => {
    try {
      const answer = await post(path, body, { ...options, key });
      key = randomId();
      return answer;
    } catch (error) {
      if (error instanceof Problem) key = randomId();
      throw error;
    }
  };
}

/** Why it was refused, in the server's words. */
export const why = (error) => (error instanceof Problem
  ? [error.detail, ...error.errors.map((row) => row.detail).filter((text) => text && text !== error.detail)].join(" ")
  : error.message);

function form(title, { intro = null, fields = [], submit, act }) {
  const trouble = el("p", { class: "notice bad", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "main" }, submit);
  const made = el("form", { class: "stack", novalidate: true }, intro, ...fields, trouble, el("div", { class: "row" }, button));
  const box = dialog(title, made);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    trouble.hidden = true;
    try {
      await act(new FormData(made));
      box.close();
    } catch (error) {
      trouble.textContent = why(error);
      trouble.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  return { made, button };
}

const number = (id, name, hint, attributes) =>
  el("div", { class: "field" },
    el("label", { for: id }, name),
    el("input", { id, name: id, type: "number", inputmode: "numeric", "aria-describedby": `${id}-hint`, ...attributes }),
    el("p", { class: "hint", id: `${id}-hint` }, hint));

const asNumber = (value) => (value === null || value === "" ? undefined : Number(value));

/** Choose the next batch. */
export function selectBatch({ api, session, done }) {
  const send = once(`${api}/select`);
  form("Select a batch", {
    intro: el("p", { class: "soft" }, "Texts that teach the model most are chosen by the strategy ", el("b", {}, session.settings.strategy.name), " and wait for labels."),
    fields: [number("size", "Texts", "The session's own size unless you change it.", { min: 1, value: session.settings.batch_size })],
    submit: "Select",
    act: async (data) => {
      const batch = await send({ size: asNumber(data.get("size")) });
      say(`Round ${batch.round}: ${batch.selected} texts selected.`);
      done();
    },
  });
}

/** Price a generation first, then start it. */
export function writeVariations({ api, session, done }) {
  const send = once(`${api}/generate`);
  const plan = el("div", { class: "plan", "aria-live": "polite" }, el("p", { class: "soft" }, "Working out what it would cost…"));
  const { made, button } = form("Write variations", {
    intro: el("p", { class: "soft" }, "The latest round's labels are the seeds; classes below their target get variations. Nothing trains before it is accepted."),
    fields: [
      number("variations", "Variations per seed", "The session's own number unless you change it.", { min: 1, max: 100, value: session.settings.variations }),
      number("dollars", "Spend at most, in dollars", "Empty: as far as the session's budget goes.", { min: 0, step: "any", inputmode: "decimal" }),
      plan,
    ],
    submit: "Write",
    act: async (data) => {
      await send(wish(data));
      say("Writing has started.");
      done();
    },
  });
  const wish = (data) => ({ variations: asNumber(data.get("variations")), max_dollars: asNumber(data.get("dollars")) });
  let asked = 0;
  async function estimate() {
    const turn = (asked += 1);
    button.disabled = true;
    try {
      const found = await post(`${api}/generate`, { ...wish(new FormData(made)), dry_run: true });
      if (turn !== asked) return;
      plan.replaceChildren(priced(found));
      button.disabled = false;
      button.textContent = `Write ${whole(found.variations)} variations`;
    } catch (error) {
      if (turn === asked) plan.replaceChildren(el("p", { class: "notice bad" }, why(error)));
    }
  }
  made.addEventListener("change", estimate);
  estimate();
}

function priced(plan) {
  const facts = [
    ["Written by", plan.model ? `${plan.generator}, ${plan.model}` : plan.generator],
    ["Template", `${plan.template}, version ${plan.template_version}`],
    ["Seeds", whole(plan.seeds)],
    ["Variations", `${whole(plan.variations)}: ${Object.entries(plan.by_class).map(([id, n]) => `${id} ${n}`).join(", ")}`],
    ["Cost, at most", dollars(plan.dollars)],
  ];
  return el("div", {},
    el("h3", {}, "Estimate"),
    el("dl", { class: "facts" }, ...facts.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)])),
    plan.note ? el("p", { class: "soft small" }, plan.note) : null);
}

/** Train on the labels so far. */
export function retrain({ api, session, done }) {
  const send = once(`${api}/retrain`);
  const choice = (value, text) => el("option", { value, selected: session.settings.activate === value }, text);
  form("Retrain", {
    intro: el("p", { class: "soft" }, "A new model is trained on every label so far, checked, and the pool is scored again if it takes over."),
    fields: [
      el("label", { class: "check" }, el("input", { type: "checkbox", name: "generated", checked: true }), "Train on accepted variations too"),
      el("div", { class: "field" }, el("label", { for: "activate" }, "The new model takes over"),
        el("select", { id: "activate", name: "activate" }, choice("auto", "always"), choice("if_better", "if it is better"), choice("manual", "when somebody says so"))),
    ],
    submit: "Retrain",
    act: async (data) => {
      await send({ include_generated: data.get("generated") !== null, activate: data.get("activate") });
      say("Training has started.");
      done();
    },
  });
}

/** Take an open batch back. */
export function cancelBatch({ api, session, done }) {
  const send = once(`${api}/batches/${session.open_batch_id}/cancel`);
  form("Cancel the batch", {
    intro: el("p", {}, "Labels that came in are kept. Texts without one go back to the pool, and what people hold ends."),
    submit: "Cancel the batch",
    act: async () => {
      await send();
      say("The batch was cancelled.");
      done();
    },
  });
}

/** Follows every unfinished operation, and lists the latest ones. */
export function operations({ session, ended }) {
  const followed = new Map();
  let latest = [];

  async function refresh() {
    const rows = await all(`/operations?session_id=${session}&limit=500`, { most: 5000 });
    latest = rows.slice(-SHOWN).reverse();
    for (const row of rows.filter((one) => !one.done)) follow(row);
    draw();
  }
  async function follow(first) {
    if (followed.has(first.id)) return;
    followed.set(first.id, first);
    let row = first;
    try {
      while (!row.done) {
        row = await get(`/operations/${row.id}?wait=${LOOK_SECONDS}`);
        followed.set(row.id, row);
        latest = latest.map((one) => (one.id === row.id ? row : one));
        draw();
      }
      say(`${sentence(row.kind)}: ${row.state}.`);
    } finally {
      followed.delete(first.id);
      draw();
    }
    ended(row);
  }
  function draw() {
    const running = [...followed.values()].filter((row) => !row.done);
    const before = new Set([...byId("running").children].map((node) => node.id));
    byId("running").replaceChildren(...running.map((row) => alive(row, { known: before.has(`run-${row.id}`), follow: (found) => { followed.set(found.id, found); draw(); } })));
    byId("idle").hidden = running.length > 0;
    byId("operations").replaceChildren(latest.length ? listed(latest) : el("p", { class: "soft" }, "Nothing was started yet."));
  }
  return { refresh, follow };
}

function alive(row, { follow }) {
  const { phase, done, total } = row.progress;
  const stop = el("button", {
    type: "button", class: "bad", disabled: row.cancel_requested,
    onclick: async () => {
      stop.disabled = true;
      try {
        follow(await post(`/operations/${row.id}/cancel`));
      } catch (error) {
        stop.after(el("p", { class: "notice bad", role: "alert" }, why(error)));
      }
    },
  }, row.cancel_requested ? "Stopping…" : "Cancel");
  const name = `${sentence(row.kind)}: ${words(phase)}`;
  return el(
    "li",
    { id: `run-${row.id}`, class: "running" },
    el("div", { class: "row spread" },
      el("span", {}, el("b", {}, sentence(row.kind)), ` ${words(phase)}${total ? ` ${whole(done)} of ${whole(total)}` : ""}`), stop),
    el("progress", { "aria-label": name, max: total || null, value: total ? done : null }),
  );
}

const LOOKS = { succeeded: "good", failed: "bad", cancelled: "warn" };

function listed(rows) {
  return el(
    "ul",
    { class: "done", "aria-label": "Latest operations" },
    ...rows.map((row) =>
      el(
        "li",
        {},
        el("div", { class: "row" },
          el("b", {}, sentence(row.kind)),
          el("span", { class: `badge ${LOOKS[row.state] ?? "accent"}` }, row.state),
          el("time", { class: "soft small", datetime: row.created_at, title: moment(row.created_at) }, ago(row.created_at))),
        el("p", { class: "small" }, outcome(row)),
      )),
  );
}

/** One line about what an operation did. */
function outcome(row) {
  const found = row.result ?? {};
  if (row.error) return row.error.detail ?? row.error.code;
  if (row.state !== "succeeded") return "–";
  const gain = found.delta_macro_f1;
  const lines = {
    retrain: () => `model ${found.version ?? ""}${found.metrics?.macro_f1 === undefined ? "" : `, macro-F1 ${found.metrics.macro_f1.toFixed(3)}`}${gain === null || gain === undefined ? "" : ` (${gain >= 0 ? "+" : "−"}${short(Math.abs(100 * gain))} points)`}${found.activated === false ? ", not activated" : ""}`,
    generate: () => `${whole((found.proposed ?? 0) + (found.accepted ?? 0))} variations, ${whole(found.dropped ?? 0)} dropped, ${dollars(found.dollars ?? 0)}`,
    import: () => `${whole(found.created ?? found.rows ?? 0)} texts`,
    index: () => `${whole(found.rows ?? 0)} texts indexed`,
  };
  return lines[row.kind]?.() ?? "done";
}
