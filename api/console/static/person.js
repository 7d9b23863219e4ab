// The signed-in person and what they chose for themselves; their choice beats the session's.

import { get } from "./api.js";
import { keymap } from "./keys.js";

/** GET /me with the preferences worked out. */
export async function loadPerson() {
  const me = await get("/me");
  return { ...me, may: (scope) => me.scopes.includes(scope) || me.scopes.includes("admin"), own: choices(me.preferences) };
}

export const COVERS = ["session", "hidden", "blurred", "shown"];
export const GREYS = ["session", "on", "off"];

/** Preferences with a value for each; unknown ones count as not chosen. */
export function choices(preferences = {}) {
  const one = (name, allowed) => (allowed.includes(preferences[name]) ? preferences[name] : allowed[0]);
  const list = (name) => (Array.isArray(preferences[name]) ? preferences[name].filter((v) => typeof v === "string") : []);
  return {
    theme: one("theme", ["system", "light", "dark"]),
    text_size: one("text_size", ["normal", "large", "larger"]),
    motion: one("motion", ["system", "less"]),
    cover: one("cover", COVERS),
    greyscale: one("greyscale", GREYS),
    single_keys: preferences.single_keys !== false,
    avoid_topics: list("avoid_topics"),
    languages: list("languages"),
    keys: keymap(preferences),
  };
}

/** How texts appear at first: "hidden", "blurred" or "shown". */
export function coverMode(own, people) {
  if (own.cover !== "session") return own.cover;
  return people?.hide_text ? "hidden" : "shown";
}

/** Take the colour out of the page where the person, or else the session, wants that. */
export function applyGreyscale(own, people) {
  const grey = own.greyscale === "session" ? Boolean(people?.greyscale) : own.greyscale === "on";
  document.documentElement.toggleAttribute("data-grey", grey);
}
