// A person's own settings: saved on the server, so that they follow to every browser.

import { patch } from "./api.js";
import { alertBox, byId, clearAlert, el } from "./dom.js";
import { DEFAULTS, nameOf, printed } from "./keys.js";
import { choices, loadPerson, preferencesOf } from "./person.js";

const SELECTS = ["theme", "size", "motion", "cover", "greyscale"];
const LISTS = ["avoid_topics", "languages"];
const ACTIONS = {
  submit: "Submit several labels", skip: "Skip", undo: "Undo", guidelines: "Guidelines",
  blur: "Cover or show the text", flag: "Flag", note: "Write a note", help: "List of keys",
  accept: "Review: accept", edit: "Review: edit", reject: "Review: reject",
  relabel: "Review: relabel", next: "Next", previous: "Previous",
};
// Together on one page, so that the same key may not do two things there.
const PAGES = [
  ["submit", "skip", "undo", "guidelines", "blur", "flag", "note", "help"],
  ["accept", "edit", "reject", "relabel", "next", "previous", "blur", "help", "submit"],
];
const FIXED = new Set(["Tab", "Escape", "Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Unidentified"]);
let keys = {};

async function start() {
  let me;
  try {
    me = await loadPerson();
  } catch (problem) {
    alertBox(problem.detail ?? problem.message);
    return;
  }
  fill(me.own);
  for (const part of document.querySelectorAll("fieldset, #save")) part.disabled = false;
  byId("form").addEventListener("submit", save);
  byId("form").addEventListener("input", () => { byId("saved").textContent = ""; preview(); });
  byId("reset").addEventListener("click", () => { keys = { ...DEFAULTS }; drawKeys(); });
}

function fill(own) {
  for (const name of SELECTS) byId(name).value = own[name];
  for (const name of LISTS) byId(name).value = own[name].join(", ");
  byId("single_keys").checked = own.single_keys;
  keys = { ...own.keys };
  drawKeys();
}

function drawKeys() {
  byId("keys").replaceChildren(...Object.entries(ACTIONS).map(([action, text]) => {
    const id = `key-${action}`;
    const clash = clashOf(action);
    const field = el("input", {
      id, value: printed(keys[action]), readonly: true, onkeydown: (event) => take(event, action),
      "aria-invalid": clash ? "true" : null, "aria-describedby": clash ? `${id}-clash` : null,
    });
    return el("div", { class: "key" }, el("label", { for: id }, text), field,
      clash ? el("p", { class: "clash", id: `${id}-clash` }, `The same key as “${ACTIONS[clash]}”.`) : null);
  }));
}

function take(event, action) {
  if (FIXED.has(event.key) || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  event.preventDefault();
  const key = nameOf(event);
  if (/^[0-9]$/.test(key)) {
    alertBox("Numbers are the labels; choose another key.");
    return;
  }
  clearAlert();
  keys[action] = key;
  drawKeys();
  byId(`key-${action}`).focus();
  byId("saved").textContent = "";
}

const clashOf = (action) =>
  PAGES.filter((page) => page.includes(action)).flat().find((other) => other !== action && keys[other] === keys[action]) ?? null;

function preview() {
  const root = document.documentElement.dataset;
  root.theme = byId("theme").value;
  root.size = byId("size").value;
  root.motion = byId("motion").value;
}

async function save(event) {
  event.preventDefault();
  clearAlert();
  const clashing = Object.keys(ACTIONS).find(clashOf);
  if (clashing) {
    alertBox("One key would do two things on the same page. Change one of them.");
    byId(`key-${clashing}`).focus();
    return;
  }
  const own = Object.fromEntries(Object.entries(keys).filter(([action, key]) => DEFAULTS[action] !== key));
  const wanted = { single_keys: byId("single_keys").checked };
  for (const name of SELECTS) wanted[name] = byId(name).value;
  for (const name of LISTS) wanted[name] = byId(name).value.split(",").map((part) => part.trim()).filter(Boolean);
  const preferences = { ...preferencesOf(wanted), keys: Object.keys(own).length ? own : null };
  try {
    const me = await patch("/me", { preferences });
    fill(choices(me.preferences));
    byId("saved").textContent = "Saved.";
  } catch (problem) {
    alertBox(`Not saved: ${problem.detail ?? problem.message}`);
  }
}

start();
