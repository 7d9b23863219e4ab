// What a person decided and the server has not confirmed yet: kept, sent in order, once.
//
// Entries hold ids and labels only. They outlive a reload in this tab's sessionStorage
// under the person's id; `client_label_id` (answers) and the Idempotency-Key (skips and
// flags) make the server count a repeated entry once.

import { Offline, onConnection, post, randomId } from "./api.js";

const STORED = ["id", "kind", "assignment_id", "item_id", "lease_token", "labels", "reason", "duration_ms"];
const WAITS = [1000, 2000, 5000, 10000];

export class Outbox {
  /**
   * `sent(entry, result)` and `refused(entry, problem)` hear what became of each entry,
   * `changed()` whenever the number waiting changes. Of `leases`, `quiet()` waits for a
   * claim under way, `token(id)` is a lease's newest token, and `claim()` is called once
   * more where the server says that a token is not the newest.
   */
  constructor({ sessionId, personId, leases, sent, refused, changed }) {
    this.path = `/sessions/${sessionId}`;
    this.place = `tailwise.outbox.${personId}.${sessionId}`;
    Object.assign(this, { leases, sent, refused, changed });
    this.entries = this.restore();
    this.working = null;
    this.failures = 0;
    onConnection((up) => { if (up) this.flush(); });
    addEventListener("online", () => this.flush());
  }

  restore() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.place) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  keep() {
    const rows = this.entries.map((entry) =>
      Object.fromEntries(STORED.filter((name) => entry[name] !== undefined).map((name) => [name, entry[name]])));
    if (rows.length) sessionStorage.setItem(this.place, JSON.stringify(rows));
    else sessionStorage.removeItem(this.place);
    this.changed();
  }

  get size() { return this.entries.length; }
  has(assignmentId) { return this.entries.some((entry) => entry.assignment_id === assignmentId); }

  add(entry) {
    const made = { id: `console-${randomId()}`, ...entry };
    this.entries.push(made);
    this.keep();
    this.flush();
    return made;
  }

  /** Take an entry back that was never tried; false once it may have reached the server. */
  withdraw(id) {
    const entry = this.entries.find((one) => one.id === id);
    if (!entry || entry.tried) return false;
    this.entries = this.entries.filter((one) => one !== entry);
    this.keep();
    return true;
  }

  /** Send what waits; resolves when all is sent or the connection is gone. */
  flush() {
    this.working ??= this.run().finally(() => { this.working = null; });
    return this.working;
  }

  async run() {
    while (this.entries.length) {
      await this.leases.quiet();
      const entry = this.entries[0];
      if (!entry) return;
      entry.lease_token = this.leases.token(entry.assignment_id) ?? entry.lease_token;
      try {
        const result = await this.deliver(entry);
        this.failures = 0;
        this.drop(entry);
        this.sent(entry, result);
      } catch (problem) {
        if (await this.hold(entry, problem)) return;
      }
    }
  }

  drop(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
    this.keep();
  }

  /** Deal with a failure; true ends this run and leaves the entry where it is. */
  async hold(entry, problem) {
    if (problem instanceof Offline || problem.status === 401 || problem.status === 429 || problem.status >= 500) {
      const wait = WAITS[Math.min(this.failures, WAITS.length - 1)];
      this.failures += 1;
      clearTimeout(this.timer);
      if (problem.status !== 401) this.timer = setTimeout(() => this.flush(), Math.max(wait, (problem.retryAfter ?? 0) * 1000));
      return true;
    }
    if (problem.code === "lease-not-yours" && !entry.renewed) {
      entry.renewed = true;
      const used = entry.lease_token;
      try {
        await this.leases.claim();
      } catch (error) {
        entry.renewed = false;
        return this.hold(entry, error);
      }
      if (this.leases.token(entry.assignment_id) !== used) return false;
    }
    this.drop(entry);
    this.refused(entry, problem);
    return false;
  }

  deliver(entry) {
    entry.tried = true;
    const lease = { lease_token: entry.lease_token };
    if (entry.kind === "label") {
      const label = {
        item_id: entry.item_id, labels: entry.labels, client_label_id: entry.id,
        assignment_id: entry.assignment_id, ...lease,
      };
      if (entry.note) label.note = entry.note;
      if (entry.duration_ms !== undefined) label.duration_ms = entry.duration_ms;
      return post(`${this.path}/label`, { labels: [label], mode: "atomic" }, { key: null });
    }
    const body = { ...lease };
    if (entry.reason) body.reason = entry.reason;
    if (entry.note) body.note = entry.note;
    const action = entry.kind === "skip" ? "skip" : "flag";
    return post(`${this.path}/assignments/${entry.assignment_id}/${action}`, body, { key: entry.id, retry: false });
  }
}
