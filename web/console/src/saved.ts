// Searches that are kept under a name, in this browser; and those that everybody has.
// Not here: what a search finds (state.ts).

import { computed, signal } from "@preact/signals";
import { store, stored } from "./notify.ts";
import { chats, parsed, query } from "./state.ts";

export interface Saved { name: string; query: string; own: boolean }

const USUAL: Saved[] = [{ name: "Nearly late", query: "due:soon", own: false }];
const MOST = 20;

function read(): Saved[] {
  try {
    const kept = JSON.parse(stored("views") ?? "[]") as unknown;
    if (!Array.isArray(kept)) return [];
    const sound = (one: Partial<Saved> | null) => typeof one?.name === "string" && typeof one.query === "string";
    return kept.filter(sound).slice(0, MOST).map((one: Saved) => ({ name: one.name.slice(0, 40), query: one.query.slice(0, 400), own: true }));
  } catch {
    return [];
  }
}

const own = signal(read());

const keep = (to: Saved[]) => {
  own.value = to;
  store("views", JSON.stringify(to.map(({ name, query: words }) => ({ name, query: words }))));
};

/** With how many each shows now. */
export const saved = computed(() =>
  [...USUAL, ...own.value].map((one) => {
    const { fits } = parsed(one.query);
    return { ...one, count: [...chats.value.values()].filter((chat) => chat.stage !== "closed" && fits(chat)).length };
  }));

/** Whether what is searched for now could be kept. */
export const unsaved = computed(() => {
  const words = query.value.trim();
  return words !== "" && own.value.length < MOST && ![...USUAL, ...own.value].some((one) => one.query === words);
});

export function save(name: string) {
  const called = name.trim().slice(0, 40);
  if (!called) return;
  keep([...own.value.filter((one) => one.name !== called), { name: called, query: query.value.trim(), own: true }]);
}

export function drop(name: string) {
  keep(own.value.filter((one) => one.name !== name));
}
