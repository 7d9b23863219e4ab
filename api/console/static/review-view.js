// What the review page draws: two texts with their differences, tags, near-duplicates.

import { compareShown, likeness, side } from "./diff.js";
import { byId, dialog, el, foreign, plural } from "./dom.js";
import { show } from "./text.js";

const ALIKE = 0.7;
const CHECKS = {
  schema: "Not a well-formed text", length: "Much longer or shorter than its text", meta_text: "Holds a remark of its writer",
  label_leak: "Names its own label", learner_agreement: "The model reads another label",
};
const WHAT = { exact: "A copy of", near: "Nearly the same as", semantic: "Means the same as" };
const WHOSE = { sibling: "another variation", training: "a training text", pool: "a text of the pool", test: "a test text" };

/** Seed and variation side by side; `marked` false shows them without differences. */
export function pairNodes(seed, row, names, marked) {
  const runs = marked && seed?.text !== undefined ? compareShown(seed.text, row.text) : null;
  const body = (text, kind) => {
    const box = el("div", { class: "foreign the-text", tabindex: "0", role: "group", "aria-label": kind === "del" ? "The text it varies" : "The variation" });
    if (text === undefined) box.append(el("span", { class: "soft" }, "The text is not there any more."));
    else if (runs) box.append(side(runs, kind));
    else show(box, text);
    return box;
  };
  const badges = (ids) => (ids ?? []).map((id) => el("span", { class: "badge" }, foreign(names(id))));
  return [el("div", { class: "pair" },
    el("section", { class: "side" }, el("h3", {}, "Written by a person", ...badges(seed?.labels)), body(seed?.text, "del")),
    el("section", { class: "side new" }, el("h3", {}, "Variation", ...badges(row.labels)), body(row.text, "ins")))];
}

/** Template, writer, attributes and state of a variation. */
export function about(row, names) {
  const parts = [el("span", { class: "badge accent" }, `Template ${row.template_id} v${row.template_version}`), el("span", { class: "badge" }, foreign(row.model ?? row.generator))];
  for (const attribute of row.attributes ?? []) parts.push(el("span", { class: "badge" }, foreign(attribute)));
  if (row.contrast) parts.push(el("span", { class: "badge" }, "Not ", foreign(names(row.contrast))));
  if (row.state !== "proposed") parts.push(el("span", { class: "badge warn" }, `Now ${row.state}`));
  return parts;
}

/** The screens that objected, in words; passed ones are counted. */
export function tags(screens) {
  const failed = screens.filter((screen) => !screen.passed);
  const made = failed.map((screen) => el("li", { class: "badge warn" }, "⚠ ", sentence(screen)));
  made.push(el("li", { class: "badge good" }, `✓ ${screens.length - failed.length} of ${screens.length} checks passed`));
  return made;
}

function sentence({ check, value }) {
  const [corpus, kind] = [check.split("_")[0], check.split("_").at(-1)];
  if (WHOSE[corpus]) return `${WHAT[kind] ?? "Like"} ${WHOSE[corpus]}${value ? ` (${Math.round(value * 100)} %)` : ""}`;
  return CHECKS[check] ?? `Failed: ${check.replaceAll("_", " ")}`;
}

/** The other open variations of the same seed that are nearly this one. */
export function alikeTo(row, rows) {
  const named = new Set(row.screens.filter((s) => !s.passed && s.match_id).map((s) => s.match_id));
  return rows.filter((other) => other !== row && other.state === "proposed" && other.seed_item_id === row.seed_item_id && (
    named.has(other.id)
    || other.screens.some((s) => !s.passed && s.match_id === row.id)
    || likeness(row.text, other.text) >= ALIKE));
}

/** Choose among near-duplicates and decide on all chosen; asks once more before it does. */
export function decideTogether(rows, { names, covered, decide }) {
  const lines = rows.map((row, index) => {
    const text = el("span", { class: "foreign" }, covered ? el("span", { class: "soft" }, "(covered)") : foreign(row.text));
    return el("li", {}, el("label", { class: "check" },
      el("input", { type: "checkbox", value: String(index), checked: true }),
      el("span", {}, text, " ", ...row.labels.map((id) => el("span", { class: "badge" }, foreign(names(id)))))));
  });
  const list = el("ul", { class: "plain" }, ...lines);
  const question = el("p", { role: "alert" });
  const actions = el("div", { class: "row" });
  const box = dialog(`${plural(rows.length, "near-duplicate")}`,
    covered ? el("p", {}, el("button", { type: "button", onclick: uncover }, "Show the texts")) : "", list, question, actions);
  const chosen = () => rows.filter((_, index) => list.querySelectorAll("input")[index].checked);
  offer();

  function uncover(event) {
    rows.forEach((row, index) => show(lines[index].querySelector(".foreign"), row.text));
    event.target.remove();
  }
  function offer() {
    question.textContent = "";
    actions.replaceChildren(
      el("button", { type: "button", onclick: () => ask("accept", "Accept") }, "Accept the chosen"),
      el("button", { type: "button", class: "bad", onclick: () => ask("reject", "Reject") }, "Reject the chosen"));
    actions.firstChild.focus();
  }
  function ask(decision, verb) {
    const picked = chosen();
    if (!picked.length) { question.textContent = "Choose at least one."; return; }
    question.textContent = `${verb} ${plural(picked.length, "variation")}?`;
    actions.replaceChildren(
      el("button", { type: "button", class: decision === "reject" ? "bad" : "main", onclick: () => { box.close(); decide(decision, picked); } }, `Yes, ${verb.toLowerCase()}`),
      el("button", { type: "button", class: "quiet", onclick: offer }, "No"));
    actions.firstChild.focus();
  }
}

/** The keys of this page. */
export function reviewHelp(keys, printed) {
  const rows = [[keys.accept, "Accept"], [keys.edit, "Edit the text"], [keys.relabel, "Give it another label"], [keys.reject, "Reject"],
    [keys.blur, "Cover or show the texts"], [keys.next, "Next"], [keys.previous, "Previous, to decide again"], [keys.help, "This list"],
    ["esc esc", "Everything out of sight"]];
  dialog("Keys", el("table", {}, el("tbody", {}, ...rows.map(([key, text]) =>
    el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, printed(key))), el("td", {}, text))))),
  el("p", { class: "small" }, el("a", { href: "/console/settings" }, "Change the keys")));
}

export const put = (id, nodes) => byId(id).replaceChildren(...nodes);
