// Tells a person that something came: politely on the page, on the desktop and by a sound where they want it.
// Not here: which changes there are (live.ts).

import { signal } from "@preact/signals";
import { announce, channelOf, chats, open, own, unread } from "./state.ts";
import type { Conversation } from "./types.ts";

export const stored = (name: string) => {
  try {
    return localStorage.getItem(`deskbridge.${name}`);
  } catch {
    return null;
  }
};
export const store = (name: string, value: string) => {
  try {
    localStorage.setItem(`deskbridge.${name}`, value);
  } catch {
    // Only a preference is lost.
  }
};

export const bell = signal(stored("bell") === "on");
export const sound = signal(stored("sound") !== "off");
/** Whether Enter sends, or only Ctrl/⌘ Enter: then Enter begins a line. */
export const enter = signal(stored("enter") !== "off");
export const theme = signal(stored("theme") ?? "auto");

export function setTheme(to: string) {
  theme.value = to;
  store("theme", to);
  document.documentElement.dataset.theme = to;
}

export async function ring() {
  if (bell.value) {
    bell.value = false;
  } else {
    const allowed = "Notification" in window ? await Notification.requestPermission().catch(() => "denied") : "denied";
    bell.value = allowed === "granted";
  }
  store("bell", bell.value ? "on" : "off");
}

/** As it was when people were last told of it. */
const told = new Map<number, Conversation>();

/** `heard`: messages of others that came with it. Two changes may be read at the same time, and nobody is told twice. */
export function arrived(known: Conversation | undefined, chat: Conversation, heard: number) {
  const latest = told.get(chat.id);
  const before = latest && latest.seq >= (known?.seq ?? -1) ? latest : known;
  told.set(chat.id, chat);
  const waits = chat.stage === "handover" && before?.stage !== "handover";
  const offered = chat.offer?.to === own.value && before?.offer?.to !== own.value;
  const passed = chat.transfer_to === own.value && before?.transfer_to !== own.value;
  const given = chat.assignee === own.value && before?.assignee !== own.value && document.visibilityState === "hidden";
  const mine = chat.assignee === own.value || chat.co_repliers.includes(own.value);
  const matter = `${chat.requester.name}, ${chat.subject}`;
  if (offered || passed) tell(chat, `Offered to you: ${matter}`);
  else if (waits) tell(chat, `New chat from ${matter}`);
  else if (given) tell(chat, `You have ${matter}`);
  else if (heard > 0 && mine) tell(chat, `New message from ${chat.requester.name}`);
  title();
}

function tell(chat: Conversation, text: string) {
  announce(text);
  if (sound.value) beep();
  if (!bell.value || document.visibilityState === "visible") return;
  const shown = new Notification(text, { body: `${chat.reference} · ${channelOf(chat)}`, tag: `deskbridge-${chat.id}`, icon: "/console/icon.svg" });
  shown.onclick = () => {
    window.focus();
    open(chat.id);
    shown.close();
  };
}

export function title() {
  let n = 0;
  for (const [id, count] of unread.value) if (chats.value.has(id)) n += count;
  document.title = n > 0 ? `(${n}) deskbridge` : "deskbridge";
}

let audio: AudioContext | null = null;

/** Two soft notes; browsers allow it once the person has touched the page. */
function beep() {
  try {
    audio ??= new AudioContext();
    if (audio.state !== "running") return void audio.resume().catch(() => {});
    const start = audio.currentTime;
    for (const [at, pitch] of [[0, 660], [0.12, 880]] as const) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0.0001, start + at);
      gain.gain.exponentialRampToValueAtTime(0.08, start + at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, start + at + 0.25);
      tone.connect(gain).connect(audio.destination);
      tone.start(start + at);
      tone.stop(start + at + 0.26);
    }
  } catch {
    audio = null;
  }
}
