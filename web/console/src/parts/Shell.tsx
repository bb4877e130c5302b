// The frame: top bar, the three columns, dialogs; settings come when they are asked for.

import { useEffect, useRef, useState } from "preact/hooks";
import { attend, setPresence, signOut } from "../acts.ts";
import { Icon } from "../icons.tsx";
import { bell, enter, ring, setTheme, sound, store, theme } from "../notify.ts";
import { Settings, openSettings } from "../pages.ts";
import { dialog, link, me, myself, panel, route, selected, unread } from "../state.ts";
import type { Presence } from "../types.ts";
import { ChatList } from "./ChatList.tsx";
import { Context } from "./Context.tsx";
import { ConversationWindow } from "./Conversation.tsx";
import { Dialogs } from "./Dialogs.tsx";

export function Shell() {
  const open = selected.value;
  useEffect(() => {
    if (open === null) return undefined;
    attend("viewing");
    const every = setInterval(() => {
      if (document.visibilityState === "visible") attend("viewing");
    }, 9_000);
    return () => {
      clearInterval(every);
      attend("gone", open);
    };
  }, [open]);
  const Page = Settings.value;
  return (
    <div class="shell" data-open={open !== null} data-panel={panel.value} data-route={route.value}>
      <a class="skip" href="#conversation">Skip to the conversation</a>
      <TopBar />
      {link.value === "offline" && <p class="offline" role="status">Connection lost. What you see may be old; connecting again…</p>}
      {route.value === "settings" ? (
        <main class="settings" id="conversation">{Page ? <Page /> : <p class="loading">Loading…</p>}</main>
      ) : (
        <main class="columns">
          <ChatList />
          <ConversationWindow />
          {panel.value && open !== null && <Context />}
        </main>
      )}
      <Dialogs />
    </div>
  );
}

const PRESENCE: [Presence, string][] = [["available", "On duty"], ["busy", "Busy"], ["away", "Away"], ["offline", "Off duty"]];

function TopBar() {
  const technician = me.value?.technician;
  const total = [...unread.value.values()].reduce((a, b) => a + b, 0);
  const presence = myself.value?.presence ?? "offline";
  return (
    <header class="top">
      <h1 class="brand"><img src="/console/icon.svg" alt="" width="24" height="24" /><span>deskbridge</span></h1>
      <nav aria-label="Workspace">
        <button type="button" class="tab" aria-current={route.value === "chat" ? "page" : undefined} onClick={() => (route.value = "chat")}><Icon name="chat" /><span>Chat</span></button>
        {technician && (
          <button type="button" class="tab" aria-current={route.value === "settings" ? "page" : undefined} onClick={() => openSettings()}><Icon name="gear" /><span>Settings</span></button>
        )}
      </nav>
      <button type="button" class="palette-button" onClick={() => (dialog.value = "palette")} aria-keyshortcuts="Control+K Meta+K">
        <Icon name="search" /><span>Search or run…</span><kbd>Ctrl K</kbd>
      </button>
      {technician && (
        <label class="presence" data-presence={presence}>
          <span class="dot" aria-hidden="true" />
          <span class="hidden">Your presence</span>
          <select value={presence} onChange={(event) => void setPresence(event.currentTarget.value as Presence)}>
            {PRESENCE.map(([id, label]) => <option key={id} value={id}>{label}</option>)}
          </select>
        </label>
      )}
      <button type="button" class="quiet bell" aria-pressed={bell.value} aria-label={`Desktop notifications, ${bell.value ? "on" : "off"}${total ? `, ${total} unread` : ""}`} onClick={() => void ring()}>
        <Icon name={bell.value ? "bell" : "bellOff"} />{total > 0 && <span class="count">{total}</span>}
      </button>
      <Menu name={technician?.name ?? "?"} />
    </header>
  );
}

function Menu({ name }: { name: string }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const initials = name.split(/\s+/).map((word) => word.charAt(0)).slice(0, 2).join("").toUpperCase();
  useEffect(() => {
    if (!open) return undefined;
    const away = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    window.addEventListener("pointerdown", away);
    return () => window.removeEventListener("pointerdown", away);
  }, [open]);
  const act = (run: () => void) => () => {
    setOpen(false);
    run();
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    event.preventDefault();
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  return (
    <div class="menu" ref={root} onKeyDown={escape}>
      <button type="button" class="avatar" aria-expanded={open} aria-haspopup="true" aria-label={`${initials}, ${name}: account and preferences`} onClick={() => setOpen(!open)}>{initials}</button>
      {open && (
        <div class="popover">
          <p class="muted">{name} · {me.value?.technician?.role}</p>
          <label>Colours
            <select value={theme.value} onChange={(event) => setTheme(event.currentTarget.value)}>
              <option value="auto">As the system</option><option value="light">Light</option><option value="dark">Dark</option>
            </select>
          </label>
          <label class="check"><input type="checkbox" checked={sound.value} onChange={(event) => { sound.value = event.currentTarget.checked; store("sound", sound.value ? "on" : "off"); }} /> Sound</label>
          <label class="check"><input type="checkbox" checked={enter.value} onChange={(event) => { enter.value = event.currentTarget.checked; store("enter", enter.value ? "on" : "off"); }} /> Enter sends</label>
          <button type="button" onClick={act(() => (dialog.value = "help"))}>Keys <kbd>?</kbd></button>
          <button type="button" onClick={act(() => (dialog.value = "password"))}>Change password</button>
          <button type="button" onClick={act(() => (dialog.value = "factor"))}>Second factor</button>
          <a href="/docs" target="_blank" rel="noopener">API description</a>
          <button type="button" onClick={act(() => void signOut())}>Sign out</button>
        </div>
      )}
    </div>
  );
}
