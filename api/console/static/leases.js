// The texts this person holds: claimed a few ahead, kept while they work, given back.

import { post } from "./api.js";

const AHEAD = 2;
const IDLE_MS = 10 * 60 * 1000;

export class Leases {
  /** `ended(assignment, problem)` hears of a lease that ran out or went to another tab. */
  constructor({ sessionId, own, ended }) {
    this.path = `/sessions/${sessionId}`;
    Object.assign(this, { own, ended });
    this.held = [];
    this.done = new Set();
    this.newest = new Map();
    this.claiming = null;
    this.touched = performance.now();
    this.beat = null;
    for (const kind of ["keydown", "pointerdown", "wheel"]) addEventListener(kind, () => this.touch(), { passive: true });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.heartbeat(); });
  }

  /** Nobody has used the page for a while. */
  get idle() { return performance.now() - this.touched > IDLE_MS; }

  /** Somebody uses the page; after a while away the leases are renewed at once. */
  touch() {
    const back = this.idle;
    this.touched = performance.now();
    if (back) this.heartbeat();
  }

  /** Whole seconds that this lease lasts as far as the page knows, 0 when it is over. */
  secondsLeft(assignment) {
    return Math.max(0, Math.round((assignment.until - performance.now()) / 1000));
  }

  /** Claim up to one text and `AHEAD` more; answers {reason, retry_after_s} of the claim. */
  claim(count = AHEAD + 1) {
    const before = this.claiming ?? Promise.resolve();
    const mine = before.catch(() => {}).then(() => this.claimNow(count));
    this.claiming = mine;
    return mine.finally(() => { if (this.claiming === mine) this.claiming = null; });
  }

  /** Until no claim is under way: each one makes the tokens before it worthless. */
  quiet() {
    return this.claiming ? this.claiming.catch(() => {}) : Promise.resolve();
  }

  async claimNow(count) {
    const wish = { count };
    if (this.own.languages.length) wish.languages = this.own.languages;
    if (this.own.avoid_topics.length) wish.avoid_topics = this.own.avoid_topics;
    const found = await post(`${this.path}/leases`, wish, { key: null, retry: true });
    const now = performance.now();
    for (const row of found.assignments) {
      this.newest.set(row.id, row.lease_token);
      const known = this.held.find((one) => one.id === row.id);
      const timed = { ...row, until: now + row.ttl_s * 1000 };
      if (known) Object.assign(known, { lease_token: row.lease_token, until: timed.until, ttl_s: row.ttl_s });
      else if (!this.done.has(row.id)) this.held.push(timed);
    }
    this.schedule();
    return found;
  }

  /** The text that comes next. */
  get first() { return this.held[0] ?? null; }

  /** The newest token of any lease of this page, also of a text that was dealt with. */
  token(assignmentId) { return this.newest.get(assignmentId); }

  /** Leave this text behind: answered, skipped, flagged or lost. */
  drop(assignment) {
    this.done.add(assignment.id);
    this.held = this.held.filter((one) => one.id !== assignment.id);
  }

  /** It may come back, after an undo. */
  reopen(assignmentId) { this.done.delete(assignmentId); }

  /** Put a text that was dropped by mistake back in front. */
  restore(assignment) {
    this.done.delete(assignment.id);
    assignment.lease_token = this.token(assignment.id) ?? assignment.lease_token;
    this.held.unshift(assignment);
  }

  schedule() {
    clearTimeout(this.beat);
    const shortest = Math.min(...this.held.map((one) => one.ttl_s));
    if (Number.isFinite(shortest)) this.beat = setTimeout(() => this.heartbeat(), (shortest * 1000) / 3);
  }

  /** Renew every lease, as long as somebody is there to see the page. */
  async heartbeat() {
    if (!document.hidden && !this.idle) await Promise.all(this.held.map((one) => this.renew(one)));
    this.schedule();
  }

  /** Hold this text for another while; one attempt at a time. */
  renew(one) {
    one.renewal ??= this.renewNow(one).finally(() => { one.renewal = null; });
    return one.renewal;
  }

  async renewNow(one) {
    const token = one.lease_token;
    try {
      await post(`${this.path}/assignments/${one.id}/heartbeat`, { lease_token: token, ttl_s: one.ttl_s }, { key: null });
      one.until = performance.now() + one.ttl_s * 1000;
    } catch (problem) {
      const lost = problem.status === 409 || problem.status === 403 || problem.status === 404;
      if (lost && one.lease_token === token && !this.done.has(one.id)) {
        // Not `drop`: what was never answered may be claimed again.
        this.held = this.held.filter((other) => other !== one);
        this.ended(one, problem);
      }
    }
  }

  /** Give everything back at once, even while the page goes away. */
  releaseAll() {
    const given = this.held;
    this.held = [];
    clearTimeout(this.beat);
    return Promise.allSettled(given.map((one) =>
      post(`${this.path}/assignments/${one.id}/release`, { lease_token: one.lease_token }, { key: null, keepalive: true })));
  }
}
