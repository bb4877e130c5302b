// Short words about what was just done.

import { Icon } from "../icons.tsx";
import { toasts } from "../state.ts";

export function Toasts() {
  return (
    <div class="toasts" role="region" aria-label="Notices">
      {toasts.value.map((one) => (
        <div key={one.id} class={one.bad ? "toast bad" : "toast"} role={one.bad ? "alert" : "status"}>
          <span>{one.text}</span>
          {one.act && <button type="button" class="link" onClick={one.act.run}>{one.act.label}</button>}
          <button type="button" class="quiet small" aria-label="Close" onClick={() => (toasts.value = toasts.value.filter((other) => other.id !== one.id))}><Icon name="close" /></button>
        </div>
      ))}
    </div>
  );
}
