// The start page: the sessions a person works in, and what waits in each.

import { get } from "./api.js";
import { alertBox, byId, el, foreign, plural } from "./dom.js";
import { loadPerson } from "./person.js";

const STATES = { open: ["Open", "good"], paused: ["Paused", "warn"], closed: ["Closed", ""], draft: ["Not open yet", ""] };

async function start() {
  try {
    const [me, desks] = await Promise.all([loadPerson(), get("/desks")]);
    const rows = desks.data;
    byId("sessions").replaceChildren(...(rows.length ? rows.map((row) => card(row, me)) : [nothing(me)]));
  } catch (problem) {
    alertBox(problem.detail ?? problem.message);
  }
  byId("loading").hidden = true;
}

function card(desk, me) {
  const root = `/console/sessions/${encodeURIComponent(desk.id)}`;
  const [state, tone] = STATES[desk.state] ?? [desk.state, ""];
  const open = desk.state === "open";
  const waits = el("ul", { class: "waits" },
    el("li", {}, open && desk.waiting ? "Texts are waiting for you" : "No text is waiting for you"),
    typeof desk.review === "number" ? el("li", {}, desk.review ? `${plural(desk.review, "variation")} to review` : "Nothing to review") : null);
  const links = el("div", { class: "row" },
    me.may("annotate") ? el("a", { class: open && desk.waiting ? "button main" : "button", href: `${root}/annotate` }, "Annotate") : null,
    me.may("review") ? el("a", { class: "button", href: `${root}/review` }, "Review") : null,
    me.may("review") ? el("a", { class: "button", href: `${root}/flags` }, "Flags") : null,
    me.may("people:write") ? el("a", { class: "button", href: `${root}/lead` }, "Lead") : null);
  return el("section", { class: "card stack" },
    el("div", { class: "head" }, el("h2", {}, foreign(desk.name)), el("span", { class: `badge ${tone}` }, state)),
    waits, links);
}

function nothing(me) {
  return el("section", { class: "card" }, el("h2", {}, "No session yet"),
    el("p", { class: "soft" }, me.session_id ? "The session you were invited to is not there any more." : "As soon as a session is opened for you, it is here."));
}

start();
