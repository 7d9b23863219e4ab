// The public API as this server's own pages call it: cookie, problem documents, retries.

const RETRIES = [400, 1000, 2500, 5000];
const listeners = new Set();
let connected = true;

/** A refusal: `code` is stable, `detail` is a sentence for people. */
export class Problem extends Error {
  constructor(status, body, headers) {
    super(body?.detail ?? `the server answered ${status}`);
    this.status = status;
    this.code = body?.code ?? "unknown";
    this.detail = this.message;
    this.errors = body?.errors ?? [];
    this.body = body ?? {};
    const after = Number.parseFloat(headers?.get("Retry-After"));
    this.retryAfter = Number.isFinite(after) ? after : null;
  }
}

/** No answer came: the connection is lost, or the server is away. */
export class Offline extends Error {
  constructor() {
    super("the server cannot be reached");
    this.code = "offline";
  }
}

/** 32 hexadecimal digits; `crypto.randomUUID` is missing on plain http. */
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** Called with true or false when the connection comes or goes. */
export function onConnection(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
export const isConnected = () => connected;

function connection(now) {
  if (now === connected) return;
  connected = now;
  for (const listener of listeners) listener(now);
}

const pause = (ms) =>
  new Promise((done) => {
    const timer = setTimeout(finish, ms);
    function finish() {
      clearTimeout(timer);
      removeEventListener("online", finish);
      done();
    }
    addEventListener("online", finish);
  });

/**
 * Send one request and answer {data, status, headers}.
 *
 * `key`: the Idempotency-Key; a POST gets one of its own, null sends none.
 * `retry`: whether a lost connection or a 503 is tried again, safe for GETs and for POSTs
 * with a key. Raises Problem for a refusal, Offline when no answer came.
 */
export async function send(method, path, body, { key, ifMatch, prefer, retry, signal, keepalive } = {}) {
  const headers = { Accept: "application/json, application/problem+json" };
  const idempotencyKey = key === undefined && method === "POST" ? randomId() : key;
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  if (ifMatch) headers["If-Match"] = ifMatch;
  if (prefer) headers.Prefer = prefer;
  if (body !== undefined) {
    headers["Content-Type"] = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  }
  const options = {
    method, headers, signal, keepalive, credentials: "same-origin", cache: "no-store", redirect: "error",
    body: body === undefined ? undefined : JSON.stringify(body),
  };
  const again = retry ?? (method === "GET" || Boolean(idempotencyKey));
  for (let attempt = 0; ; attempt += 1) {
    const last = !again || attempt >= RETRIES.length;
    try {
      return await once(path, options);
    } catch (error) {
      const worthIt = error instanceof Offline || error.status === 503 || error.code === "idempotency-in-progress";
      if (last || !worthIt) throw error;
      await pause(RETRIES[attempt]);
    }
  }
}

async function once(path, options) {
  let response;
  let text;
  try {
    response = await fetch(`/v1${path}`, options);
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    connection(false);
    throw new Offline();
  }
  connection(true);
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    data = null;
  }
  if (response.ok) return { data, status: response.status, headers: response.headers };
  const problem = new Problem(response.status, data, response.headers);
  if (problem.status === 401) dispatchEvent(new CustomEvent("tailwise:signed-out"));
  throw problem;
}

export const get = async (path, options) => (await send("GET", path, undefined, options)).data;
export const post = async (path, body, options) => (await send("POST", path, body, options)).data;
export const patch = async (path, body, options) => (await send("PATCH", path, body, options)).data;
export const del = async (path, options) => (await send("DELETE", path, undefined, options)).data;

/** Every row of a paged list, `most` at the utmost. */
export async function all(path, { most = 1000 } = {}) {
  const rows = [];
  let cursor = null;
  do {
    const joint = path.includes("?") ? "&" : "?";
    const page = await get(cursor ? `${path}${joint}cursor=${encodeURIComponent(cursor)}` : path);
    rows.push(...page.data);
    cursor = page.next_cursor ?? null;
  } while (cursor && rows.length < most);
  return rows.slice(0, most);
}
