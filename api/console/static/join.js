// Turns an invitation into a signed-in browser; the token never leaves the fragment but once.

import { post } from "./api.js";
import { byId, el } from "./dom.js";

const token = readable(location.hash.slice(1));
// Out of the address bar and the history before anything else happens.
history.replaceState(null, "", location.pathname);

/** What was cut short in a mail may end within an escape: then it is taken as it stands. */
function readable(fragment) {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

function tell(text, ...actions) {
  byId("join-state").textContent = text;
  byId("join-actions").hidden = actions.length === 0;
  byId("join-actions").replaceChildren(...actions);
}

const SENTENCES = {
  "invitation-used": "This link was used before. Each link works once; ask your lead for a new one.",
  "invitation-expired": "This link has expired. Ask your lead for a new one.",
  "invitation-revoked": "This link was taken back. Ask your lead for a new one.",
};

async function join() {
  tell("One moment…");
  try {
    await post("/sign-in", { token }, { key: null });
    tell("You are signed in.");
    location.replace("/console");
  } catch (problem) {
    const lost = problem.code === "offline";
    const text = lost
      ? "The server cannot be reached. Your link is still good."
      : (SENTENCES[problem.code] ?? "This link does not work: it was used, has expired, or was cut short when it was copied. Ask your lead for a new one.");
    tell(text, ...(lost ? [el("button", { type: "button", class: "main", onclick: join }, "Try again")] : []));
  }
}

const ask = () => tell("You were invited to label and review texts. The link works once, for this browser.",
  el("button", { type: "button", class: "main", onclick: join }, "Sign in"));

// A button, because programs that look at links in mails open them too.
if (token) ask();
else tell("Open the link that your lead sent you. Already signed in on this browser?", el("a", { class: "button main", href: "/console" }, "Go to my sessions"));
