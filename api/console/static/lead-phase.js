// Where a session stands, in words, and what to do next.

import { el } from "./dom.js";
import { dollars, whole } from "./lead-format.js";

const PHASES = {
  needs_items: ["The pool is empty", "Upload texts by POST /items, a file by POST /imports, or with the client. Then the pool is clustered and the first batch can be selected."],
  indexing: ["The pool is being read", "Texts are embedded, clustered and scored. Selecting waits until that is done."],
  ready_to_select: ["Ready for the next batch", "Select the texts that teach the model most."],
  labelling: ["A batch is being labelled", "Answers come in from the people of this session. When every text has its answer the batch is complete."],
  reviewing: ["Variations wait for review", "Nothing that was written trains before a person, or the screens, accepted it."],
  ready_to_retrain: ["New labels are in", "Retrain, so that the next batch is chosen by a model that knows them."],
  training: ["A model is being trained", "Labels that arrive meanwhile are kept for the next one."],
  budget_exhausted: ["The label budget is spent", "Retrain on what is there, or raise the budget in the session's settings."],
  paused: ["The session is paused", "Nothing is selected, generated or trained until it goes on."],
  closed: ["The session is closed", "Models can be used and labels exported. Reopen it to go on."],
};
/** The verb that the phase asks for. */
export const NEXT = { ready_to_select: "select", ready_to_retrain: "retrain", paused: "resume", closed: "reopen" };

const GOLD = "This session is simulated: its answers are known beforehand, and a program with the scope oracle asks for them (POST /label).";

/** Heading, sentence and, while people label, how far they are. */
export function phase(session, { base }) {
  const [title, text] = PHASES[session.phase] ?? [session.phase, ""];
  const batch = session.openBatch;
  const simulated = session.settings.oracle.name === "gold";
  return el(
    "div",
    { class: "phase-words" },
    el("p", { class: "eyebrow" }, `Round ${whole(session.round)}`, simulated ? el("span", { class: "badge accent" }, "simulated") : null,
      session.state === "open" ? null : el("span", { class: "badge warn" }, session.state)),
    el("h1", { id: "phase" }, title),
    el("p", { class: "lede" }, session.phase === "labelling" && simulated ? GOLD : text),
    session.phase === "labelling" && batch ? progress(session, batch) : null,
    session.phase === "reviewing" ? el("p", {}, el("a", { class: "button main", href: `${base}/review` }, `Review ${whole(session.counts.generations_proposed)} variations`)) : null,
  );
}

function progress(session, batch) {
  const open = session.counts.selected;
  const answered = Math.max(0, batch.selected - open);
  const text = `${whole(answered)} of ${whole(batch.selected)} texts of round ${batch.round} have their answer`;
  return el("div", { class: "batch-progress" }, el("progress", { max: batch.selected, value: answered, "aria-label": text }), el("p", { class: "soft small" }, text));
}

/** The session in numbers. */
export function numbers(session, { base }) {
  const { counts, spent, settings } = session;
  const budget = (limit, format) => (limit === null || limit === undefined ? "" : ` of ${format(limit)}`);
  const tiles = [
    ["Texts in the pool", whole(counts.pool), `${whole(counts.unlabelled)} not labelled`],
    ["Labels", whole(counts.labelled), `${whole(spent.labels)}${budget(settings.budget.labels, whole)} bought`],
    ["Out for labelling", whole(counts.selected), session.open_batch_id ? "in an open batch" : "no batch is open"],
    ["Variations kept", whole(counts.generations_usable), counts.generations_proposed
      ? el("a", { href: `${base}/review` }, `${whole(counts.generations_proposed)} to review`) : "none to review"],
    ["Taken out", whole(counts.excluded), el("a", { href: `${base}/flags` }, "flags and skips")],
    ["Spent on writing", dollars(spent.dollars), `${budget(settings.budget.dollars, dollars)} budget`.replace(/^ budget$/, "no limit").replace(/^ /, "")],
  ];
  return tiles.map(([name, value, more]) =>
    el("div", { class: "tile" }, el("dt", {}, name), el("dd", { class: "number big" }, value), el("dd", { class: "soft small" }, more)));
}

const ADVICE = {
  "stuck-clusters": "Select one batch with the strategy 'random' or a clustered one, and look at the cluster map for regions nobody has seen.",
  "lost-labels": "Use a stricter template, or have people review every variation instead of a sample.",
  imbalance: "Look at the classes below their target: select with a strategy that asks for them, or write variations of their labels.",
};

/** The three failure signatures, where they show. */
export function warnings(found, counts) {
  if (!found.length && !counts.labelled) {
    return [el("p", { class: "notice" }, "It is too early to tell. The three signs are judged from three rounds, twenty checked variations and ten labels per class on.")];
  }
  if (!found.length) {
    return [el("p", { class: "notice good" }, "None of the three failure signatures shows: picks that stay in few clusters, variations that lose their label, labels that stay uneven.")];
  }
  return found.map((sign) =>
    el(
      "div",
      { class: "notice warn warning", id: `warning-${sign.code}` },
      el("p", {}, el("b", {}, sign.message.replace(/^./, (letter) => letter.toUpperCase())), "."),
      el("p", {}, ADVICE[sign.code] ?? ""),
      el("details", {}, el("summary", {}, "Numbers"),
        el("dl", { class: "facts" }, ...Object.entries(sign.facts).flatMap(([name, value]) => [
          el("dt", {}, name.replaceAll("_", " ")), el("dd", { class: "number" }, Array.isArray(value) ? value.join(", ") || "none" : String(value)),
        ]))),
    ));
}
