// The keyboard (conventions.md §4.2): single letters while nobody types, chords everywhere.
// Not here: keys inside the composer and the lists.

import { attend, may, press, resolveAndNext, step, suggest, toggleDuty, undo, undoable, verb } from "./acts.ts";
import { current, dialog, open, panel, route, selected, view } from "./state.ts";

export const KEYS: [string, string][] = [
  ["Ctrl/⌘ K", "search or run anything"], ["J / K", "next / previous chat (also Alt+J / Alt+K)"], ["A", "accept"], ["Shift+A", "decline"],
  ["R", "reply (also Alt+L)"], ["N", "note (also Alt+P)"], ["Ctrl/⌘ Enter", "send (Enter, too, unless you turned that off)"], ["Ctrl/⌘ Shift Enter", "send and resolve"],
  ["Ctrl/⌘ Z", "take back what was just sent"], ["E", "resolve"], ["Ctrl/⌘ Alt E", "resolve and next"], ["S", "snooze"], ["T", "transfer"], ["I", "invite"],
  ["L", "labels"], ["P", "priority"], ["Shift+T", "open a ticket"], ["G", "suggest a reply; Tab inserts it"], ["M", "write the summary anew"], ["D", "on / off duty"], ["F", "search"],
  ["/ in the composer", "canned replies"], ["@ in a note", "mention"], ["↑ in an empty composer", "change your latest message"], ["G then M U I A", "mine, unassigned, AI, all"], ["\\", "right panel"], ["Esc", "close, back"], ["?", "this list"],
];

/** At once where it is there: what is typed next belongs to it. */
export function focusOn(id: string) {
  const now = document.getElementById(id);
  if (now && now.offsetParent !== null) now.focus();
  else requestAnimationFrame(() => document.getElementById(id)?.focus());
}

export function compose(kind: "reply" | "note") {
  window.dispatchEvent(new CustomEvent("deskbridge:compose", { detail: kind }));
}

export function search() {
  route.value = "chat";
  if (window.innerWidth < 800) open(null);
  focusOn("search");
}

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

/** Waits for the second letter of `g m`. */
let pending: ReturnType<typeof setTimeout> | null = null;

function second(letter: string): boolean {
  if (pending === null) return false;
  clearTimeout(pending);
  pending = null;
  const to = ({ m: "mine", u: "unassigned", i: "assistant", a: "all" } as const)[letter];
  if (!to) return false;
  route.value = "chat";
  view.value = to;
  return true;
}

function letter(event: KeyboardEvent): boolean {
  const key = event.key;
  if (second(key.toLowerCase())) return true;
  const chat = current.value;
  switch (key) {
    case "?": dialog.value = "help"; return true;
    case "j": step(1); return true;
    case "k": step(-1); return true;
    case "f": search(); return true;
    case "d": void toggleDuty(); return true;
    case "\\": panel.value = !panel.value; return true;
    case "g":
      pending = setTimeout(() => {
        pending = null;
        if (selected.value !== null) suggest();
      }, 350);
      return true;
  }
  if (!chat) return false;
  switch (key) {
    case "a": may("accept") || chat.stage !== "assigned" ? void verb("accept") : void verb("takeover"); return true;
    case "A": void verb("decline"); return true;
    case "r": compose("reply"); return true;
    case "n": compose("note"); return true;
    case "t": press("transfer"); return true;
    case "T": void verb("ticket"); return true;
    case "i": press("invite"); return true;
    case "s": press("snooze"); return true;
    case "l": dialog.value = "labels"; return true;
    case "p": dialog.value = "priority"; return true;
    case "e": void verb("resolve"); return true;
    case "m": void verb("summary"); return true;
  }
  return false;
}

function chord(event: KeyboardEvent): boolean {
  const command = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (command && key === "k") dialog.value = dialog.value === "palette" ? null : "palette";
  else if (command && event.altKey && key === "e") void resolveAndNext();
  else if (command && key === "f" && !event.shiftKey && !event.altKey) search();
  else if (command && key === "z" && undoable.value && Date.now() < undoable.value.until) void undo();
  else if (event.altKey && !command && key === "j") step(1);
  else if (event.altKey && !command && key === "k") step(-1);
  else if (event.altKey && !command && key === "l") compose("reply");
  else if (event.altKey && !command && key === "p") compose("note");
  else return false;
  return true;
}

function escape(event: KeyboardEvent): boolean {
  if (dialog.value) dialog.value = null;
  else if (typing(event.target)) (event.target as HTMLElement).blur();
  else if (panel.value && window.innerWidth < 1100) panel.value = false;
  else if (route.value === "settings") route.value = "chat";
  else if (selected.value !== null) {
    const was = selected.value;
    attend("gone");
    open(null);
    focusOn(`chat-${was}`);
  } else return false;
  return true;
}

export function keys(): () => void {
  const down = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    let took = false;
    if (event.key === "Escape") took = escape(event);
    else if (!plain) took = chord(event);
    else if (!typing(event.target) && dialog.value === null) took = letter(event);
    if (took) event.preventDefault();
  };
  window.addEventListener("keydown", down);
  return () => window.removeEventListener("keydown", down);
}
