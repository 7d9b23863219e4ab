// Why there is nothing to do just now, in a sentence, and when to come back.

import { inTime } from "./dom.js";

const at = (seconds) =>
  new Date(Date.now() + seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** {title, text} for an empty claim; `wait` in seconds or null. */
export function pauseFor(reason, wait) {
  const back = wait ? `Come back at ${at(wait)} (${inTime(wait)}).` : "";
  const known = {
    none_left: {
      title: "Nothing is waiting for you here",
      text: "You have seen every text that needs an answer. New ones come with the next batch.",
    },
    all_leased: {
      title: "Others have the remaining texts",
      text: `Each text that is left is in somebody else's hands.${wait ? ` One may come back ${inTime(wait)}.` : ""}`,
    },
    quota: {
      title: "That was your share for today",
      text: `This session gives each person a daily number of texts, and you have done yours. Thank you. ${back || "Come back tomorrow."}`,
    },
    break_due: {
      title: "Time for a break",
      text: `You have worked for a while, and this session asks everybody to pause now. Step away from the screen. ${back}`,
    },
  };
  return known[reason] ?? { title: "There is nothing to do just now", text: back };
}

/** {title, text} for a session that takes no answers. */
export function closedFor(problem) {
  if (problem.code === "session-not-open") return { title: "This session is not open", text: "Its lead has paused or closed it. Nothing you did is lost." };
  return { title: "This does not work just now", text: problem.detail };
}
