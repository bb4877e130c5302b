// The console: signs in or shows the workspace.
// Not here: the parts.

import "./style.css";
import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { onOver } from "./api.ts";
import { keys } from "./keys.ts";
import * as live from "./live.ts";
import { setTheme, theme, title } from "./notify.ts";
import { Shell } from "./parts/Shell.tsx";
import { SignIn, Welcome, finish, returned } from "./parts/SignIn.tsx";
import { Toasts } from "./parts/Toasts.tsx";
import { link, loadAll, loadCanned, loadMe, me, now, panel, recallUnread, said, toast } from "./state.ts";
import { jump, jumpToTicket, trying } from "./acts.ts";

setTheme(theme.value);
recallUnread();
// A panel that would cover the conversation is opened by hand.
window.matchMedia("(max-width: 1100px)").addEventListener("change", (event) => (panel.value = !event.matches));
setInterval(() => (now.value = Date.now()), 1_000);
onOver(() => {
  if (!me.value) return;
  live.stop();
  me.value = null;
  toast("Your session is over. Please sign in again.");
});

/** What the company's provider sent the browser back with, and what it came to. */
const brought = returned();
const refused = signal("");

const WELCOME = "#welcome=";
/** The secret of a one-time link; kept when it has left the address bar. */
const invited = signal("");

/** Also when a link is pasted into a page that is open. */
function follow() {
  if (location.hash.startsWith(WELCOME)) invited.value = location.hash.slice(WELCOME.length);
  if (me.value) void followed();
}

/** The conversation that the address names, itself (`#1042`) or by its ticket (`#T-000042`). */
async function followed() {
  const [, ticket, number] = /^#(T-)?(\d{1,15})$/.exec(location.hash) ?? [];
  if (number) await (ticket ? jumpToTicket(`T-${number}`) : jump(Number(number)));
}
follow();
window.addEventListener("hashchange", follow);

function App() {
  const known = me.value;
  useEffect(() => {
    if (brought) void finish(brought).then((why) => (refused.value = why)).then(loadMe);
    else if (!invited.value) void loadMe();
  }, []);
  useEffect(() => {
    if (!known) return undefined;
    // Whoever is in has used it; once they are out again, it leads nowhere.
    invited.value = "";
    const listening = live.start();
    void trying(async () => {
      await listening;
      await Promise.all([loadAll(), loadCanned()]);
      title();
      await followed();
    });
    const off = keys();
    return () => {
      live.stop();
      link.value = "connecting";
      off();
    };
  }, [known?.technician?.id]);
  return (
    <>
      {invited.value && !known ? <Welcome secret={invited.value} /> : known === undefined ? <p class="loading">Loading…</p> : known === null ? <SignIn refused={refused.value} /> : <Shell />}
      <Toasts />
      <div class="hidden" role="status" aria-live="polite">{said.value}</div>
    </>
  );
}

const root = document.getElementById("app");
if (root) render(<App />, root);
