// What the list needs of the state, in one place.

import { now, typists, watchers } from "../state.ts";
import type { Typist, Watcher } from "../types.ts";

export { VIEWS, channelOf, counts, keep, levelName, loadClosed, now, open, parsed, pressing, query, queues, selected, shown, technicians, unread, view } from "../state.ts";

/** Who types there now, here or elsewhere. */
export function typing(id: number): Typist[] {
  return (typists.value.get(id) ?? []).filter((one) => one.until > now.value);
}

/** Colleagues at a conversation now. */
export function who(id: number): Watcher[] {
  const found = watchers.value.get(id);
  return found && found.until > now.value ? found.who : [];
}
