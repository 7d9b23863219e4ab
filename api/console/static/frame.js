// What every signed-in page does: sign out, say when the connection or the sign-in is gone.

import { onConnection, post } from "./api.js";
import { alertBox, byId, el, foreign } from "./dom.js";

// The server writes these names as they are; here characters that hide get their marks.
for (const name of document.querySelectorAll(".who bdi, .where bdi")) name.replaceWith(foreign(name.textContent));

byId("sign-out").addEventListener("click", async () => {
  dispatchEvent(new CustomEvent("tailwise:leaving"));
  try {
    await post("/sign-out", undefined, { key: null });
  } finally {
    location.assign("/console");
  }
});

onConnection((up) => {
  const line = byId("connection");
  line.hidden = up;
  line.textContent = up ? "" : "No connection. What you do is kept on this page and sent when it is back.";
});

addEventListener("tailwise:signed-out", () => {
  alertBox(
    "Your sign-in has ended. Open the link that your lead sent you, or ask for a new one.",
    el("p", {}, el("a", { href: "/console" }, "Go to the start page")),
  );
});
