// What the list needs of the state, in one place.

import { now, watchers } from "../state.ts";
import type { Watcher } from "../types.ts";

export { VIEWS, channelOf, counts, loadClosed, now, open, parsed, query, queues, selected, shown, unread, view } from "../state.ts";

/** Colleagues at a conversation now. */
export function who(id: number): Watcher[] {
  const found = watchers.value.get(id);
  return found && found.until > now.value ? found.who : [];
}
