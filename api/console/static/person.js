// The signed-in person and what they chose for themselves; their choice beats the session's.

import { get } from "./api.js";
import { keymap } from "./keys.js";

/** GET /me with the preferences worked out. */
export async function loadPerson() {
  const me = await get("/me");
  return { ...me, may: (scope) => me.scopes.includes(scope) || me.scopes.includes("admin"), own: choices(me.preferences) };
}

const GREY = { true: "on", false: "off" };
const SIZES = { normal: null, large: 120, larger: 150 };

/** Preferences with a value for each; unknown ones count as not chosen. */
export function choices(preferences = {}) {
  const size = preferences.text_size ?? 100;
  const list = (name) => (Array.isArray(preferences[name]) ? preferences[name].filter((v) => typeof v === "string") : []);
  return {
    theme: preferences.theme ?? "auto",
    size: size >= 140 ? "larger" : size >= 115 ? "large" : "normal",
    motion: preferences.less_motion ? "less" : "auto",
    cover: coverOf(preferences),
    greyscale: GREY[preferences.greyscale] ?? "session",
    single_keys: preferences.single_keys !== false,
    avoid_topics: list("avoid_topics"),
    languages: list("languages"),
    keys: keymap(preferences),
  };
}

function coverOf(preferences) {
  if (preferences.blur) return "blurred";
  if (preferences.hide_text === true) return "hidden";
  return preferences.hide_text === false ? "shown" : "session";
}

/** What to save so that `choices` answers `own`; null where it is the default. */
export function preferencesOf(own) {
  return {
    theme: own.theme === "auto" ? null : own.theme,
    text_size: SIZES[own.size],
    less_motion: own.motion === "less" ? true : null,
    blur: own.cover === "blurred" ? true : null,
    hide_text: { hidden: true, shown: false }[own.cover] ?? null,
    greyscale: { on: true, off: false }[own.greyscale] ?? null,
    single_keys: own.single_keys ? null : false,
    avoid_topics: own.avoid_topics.length ? own.avoid_topics : null,
    languages: own.languages.length ? own.languages : null,
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
