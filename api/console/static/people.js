// Who may sign in: invite by a link that is shown once, and revoke.

import { all, get, post } from "./api.js";
import { alertBox, byId, dialog, el, foreign, say } from "./dom.js";
import { moment, sentence } from "./lead-format.js";
import { why } from "./lead-work.js";
import { plain } from "./text.js";

const ROLES = {
  annotator: "Sees one text at a time and answers it. No figures, no other people's answers.",
  reviewer: "Also reviews written variations, decides differing answers and looks at flags.",
  lead: "Also sees all figures, starts batches, writing and training, and invites people.",
};
const names = new Map();
let me = null;

/** Copies the link, also where the browser gives pages no clipboard (plain http). */
async function copy(field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    document.execCommand("copy");
  }
}

/** The link, now and never again. */
function shown(invitation) {
  const field = el("input", { id: "link", type: "text", readonly: true, value: new URL(invitation.url, location.origin).href });
  const button = el("button", {
    type: "button", class: "main",
    onclick: async () => {
      await copy(field);
      button.textContent = "Copied";
      say("The link was copied.");
    },
  }, "Copy");
  return el(
    "div",
    { class: "notice good" },
    el("p", {}, el("label", { for: "link" }, "Link for ", foreign(invitation.name))),
    el("div", { class: "link-row" }, field, button),
    el("p", { class: "small" }, `It is shown only now. It works once, until ${moment(invitation.expires_at)}. Send it by a way that only this person reads.`),
  );
}

/** Sent once: a link is never stored, so the server cannot repeat its answer. */
async function invite(body) {
  const made = await post("/invitations", body, { key: null });
  byId("made").replaceChildren(shown(made));
  byId("link").select();
  await refresh();
}

function ask(title, text, act) {
  const trouble = el("p", { class: "notice bad", role: "alert", hidden: true });
  const button = el("button", { type: "button", class: "bad" }, title);
  const box = dialog(title, el("p", {}, ...text), trouble, button);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await act();
      box.close();
      await refresh();
    } catch (error) {
      trouble.textContent = why(error);
      trouble.hidden = false;
      button.disabled = false;
    }
  });
}

const where = (row) => (row.session_id ? foreign(names.get(row.session_id) ?? row.session_id) : "every session");

const entry = (who, state, facts, actions) =>
  el("li", {},
    el("div", { class: "entry" }, el("p", {}, el("b", {}, who), " ", state), el("p", { class: "soft small" }, ...facts)),
    actions);

function person(row) {
  const gone = Boolean(row.revoked_at);
  const actions = gone ? null : el("div", { class: "row" },
    el("button", {
      type: "button", "aria-label": `New link for ${plain(row.name)}`,
      onclick: () => invite({ person_id: row.id }).catch((error) => alertBox(why(error))),
    }, "New link"),
    el("button", {
      type: "button", class: "bad", "aria-label": `Revoke ${plain(row.name)}`,
      onclick: () => ask("Revoke", ["Sign ", foreign(row.name), " out everywhere, and end what they hold? Their answers stay."], () => post(`/people/${row.id}/revoke`)),
    }, "Revoke"));
  const who = row.id === me.id ? el("span", {}, foreign(row.name), " (you)") : foreign(row.name);
  const state = el("span", { class: gone ? "badge bad" : "badge accent" }, gone ? "revoked" : row.role);
  const since = gone ? `, revoked ${moment(row.revoked_at)}` : `, since ${moment(row.created_at)}`;
  return entry(who, state, [gone ? `${sentence(row.role)}, ` : "Works in ", where(row), since], actions);
}

function invitation(row) {
  const button = el("button", {
    type: "button", class: "bad", "aria-label": `Revoke the link for ${plain(row.name)}`,
    onclick: () => ask("Revoke the link", ["The link for ", foreign(row.name), " will no longer work."], () => post(`/invitations/${row.id}/revoke`)),
  }, "Revoke");
  const state = el("span", { class: "badge accent" }, row.role);
  return entry(foreign(row.name), state, ["For ", where(row), `, works until ${moment(row.expires_at)}`], button);
}

const list = (name, rows, none) =>
  rows.length ? el("ul", { class: "entries", "aria-label": name }, ...rows) : el("p", { class: "soft" }, none);

async function refresh() {
  const [people, invitations] = await Promise.all([all("/people"), all("/invitations")]);
  const order = [...people].sort((a, b) => Number(Boolean(a.revoked_at)) - Number(Boolean(b.revoked_at)));
  const open = invitations.filter((row) => !row.used_at && !row.revoked_at && new Date(row.expires_at) > new Date());
  byId("people").replaceChildren(list("People", order.map(person), "Nobody yet."));
  byId("invitations").replaceChildren(list("Open invitations", open.map(invitation), "None."));
}

function roleHint() {
  byId("role-hint").textContent = ROLES[byId("role").value];
}

byId("role").addEventListener("change", roleHint);
byId("invite").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const data = new FormData(form);
  const button = form.querySelector("button");
  const trouble = byId("trouble");
  trouble.hidden = true;
  button.disabled = true;
  try {
    await invite({
      name: data.get("name"), role: data.get("role"), session_id: data.get("session") || null, hours: Number(data.get("hours")),
    });
    form.reset();
    roleHint();
  } catch (error) {
    trouble.textContent = why(error);
    trouble.hidden = false;
  } finally {
    button.disabled = false;
  }
});

/** The sessions to invite to; a lead of one session invites to that one. */
async function sessions() {
  me = await get("/me");
  if (me.session_id) byId("session").replaceChildren();
  const found = me.session_id ? [await get(`/sessions/${me.session_id}`)] : await all("/sessions?limit=200");
  for (const row of found) {
    names.set(row.id, row.name);
    byId("session").append(el("option", { value: row.id }, plain(row.name, 80)));
  }
}

roleHint();
try {
  await sessions();
  await refresh();
} catch (error) {
  alertBox(why(error));
}
