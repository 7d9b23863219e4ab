// Numbers and times as people read them.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const NONE = "–";

const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

export const whole = (value) => (known(value) ? WHOLE.format(value) : NONE);
export const short = (value) => (known(value) ? SHORT.format(value) : NONE);
/** A score between 0 and 1, or an entropy. */
export const score = (value) => (known(value) ? value.toFixed(3) : NONE);
export const percent = (share) => {
  if (!known(share)) return NONE;
  const hundred = 100 * share;
  return `${hundred > 0 && hundred < 1 ? hundred.toFixed(1) : Math.round(hundred)} %`;
};
/** Small sums keep their cents. */
export const dollars = (sum) => {
  if (!known(sum)) return NONE;
  return `$${sum > 0 && sum < 0.1 ? sum.toFixed(4) : sum.toFixed(2)}`;
};
export const minutes = (value) => {
  if (!known(value)) return NONE;
  if (value >= 90) return `${SHORT.format(value / 60)} h`;
  return value < 1 && value > 0 ? `${Math.round(60 * value)} s` : `${SHORT.format(value)} min`;
};
export const moment = (text) => (text ? TIME.format(new Date(text)) : NONE);

/** How long ago, in words. */
export function ago(text) {
  if (!text) return NONE;
  const seconds = Math.max(0, (Date.now() - new Date(text).getTime()) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

/** "stuck-clusters" and "stuck_clusters" as words. */
export const words = (slug) => String(slug).replaceAll(/[-_]/g, " ");
export const sentence = (slug) => words(slug).replace(/^./, (letter) => letter.toUpperCase());
