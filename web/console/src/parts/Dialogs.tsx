// What opens above everything: palette, keys, transfer, invite, snooze, password.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { forgetPerson, go, jump, press, resolveAndNext, setPresence, signOut, suggest, trying, verb } from "../acts.ts";
import { put } from "../api.ts";
import { page } from "../api.ts";
import { KEYS, compose, search } from "../keys.ts";
import { openSettings, pathOf, sheets } from "../pages.ts";
import { SecondFactor } from "./Factor.tsx";
import { Labels, Priority } from "./Marks.tsx";
import { VIEWS, chats, current, dialog, loadClosed, me, open, own, panel, query, queues, route, selected, technicians, toast } from "../state.ts";
import type { Person } from "../types.ts";

export function Dialogs() {
  switch (dialog.value) {
    case "palette": return <Palette />;
    case "help": return <Help />;
    case "transfer": return <People title="Transfer" what="Offered to them for a minute; you keep it until they accept." places act={(to) => verb("transfer", { to })} />;
    case "invite": return <People title="Invite" what="They can reply beside you." act={(to) => verb("invite", { to })} />;
    case "snooze": return <Snooze />;
    case "labels": return <Labels />;
    case "priority": return <Priority />;
    case "password": return <Password />;
    case "factor": return <SecondFactor />;
    case "erase": return <Erase />;
    case null: return null;
  }
}

/** Keeps the focus inside while it is open, and gives it back. */
export function Modal({ title, children }: { title: string; children: ComponentChildren }) {
  const root = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    root.current?.showModal();
    return () => before?.focus();
  }, []);
  return (
    <dialog ref={root} aria-label={title} onCancel={(event) => { event.preventDefault(); dialog.value = null; }}
      onClick={(event) => { if (event.target === root.current) dialog.value = null; }}>
      <div class="dialog">{children}</div>
    </dialog>
  );
}

const close = () => (dialog.value = null);

/** `path`: where it leads, as it is typed behind `/`. */
interface Command { label: string; hint: string; run: () => void; path?: string }

/** Every place of the console. */
function places(): Command[] {
  const views = VIEWS.map((one): Command => ({
    label: `Go to ${one.label}`, hint: one.key === "z" || one.key === "c" ? "" : `G ${one.key.toUpperCase()}`, path: `/${one.id}`,
    run: () => { route.value = "chat"; go(one.id); if (one.id === "closed") void loadClosed(); },
  }));
  const pages = sheets().map((one): Command => ({ label: `Settings: ${one}`, hint: pathOf(one), path: pathOf(one), run: () => openSettings(one) }));
  return [...views, { label: "Settings", hint: "/settings", path: "/settings", run: () => openSettings() }, ...pages];
}

function commands(): Command[] {
  const chat = current.value;
  const on: Command[] = chat
    ? ([
        ["Accept", "A", () => void verb("accept")], ["Decline", "Shift A", () => void verb("decline")], ["Reply", "R", () => compose("reply")], ["Write a note", "N", () => compose("note")],
        ["Transfer…", "T", () => press("transfer")], ["Invite…", "I", () => press("invite")], ["Call backup", "", () => void verb("backup")], ["Join", "", () => void verb("join")], ["Leave", "", () => void verb("leave")], ["Take over", "", () => void verb("takeover")],
        ["Snooze…", "S", () => press("snooze")], ["Labels…", "L", () => (dialog.value = "labels")], ["Priority…", "P", () => (dialog.value = "priority")], ["Hand back to the assistant", "", () => void verb("handback")], ["Resolve", "E", () => void verb("resolve")],
        ["Resolve silently", "", () => void verb("resolve", { silently: true })], ["Resolve and next", "Ctrl Alt E", () => void resolveAndNext()], ["Reopen", "", () => void verb("reopen")],
        ["Ask for a rating", "", () => void verb("csat")], ["Create ticket", "Shift T", () => void verb("ticket")], ["Suggest a reply", "G", suggest], ["Write the summary anew", "M", () => void verb("summary")],
        ["Show / hide the right panel", "\\", () => (panel.value = !panel.value)],
      ] as [string, string, () => void][]).map(([label, hint, run]) => ({ label, hint, run }))
    : [];
  const rest: Command[] = [
    ...places(),
    { label: "Search", hint: "F", run: search },
    { label: "On duty", hint: "D", run: () => void setPresence("available") },
    { label: "Busy", hint: "", run: () => void setPresence("busy") },
    { label: "Off duty", hint: "D", run: () => void setPresence("offline") },
    { label: "Keys", hint: "?", run: () => (dialog.value = "help") },
    { label: "Second factor…", hint: "", run: () => (dialog.value = "factor") },
    { label: "Sign out", hint: "", run: () => void signOut() },
  ];
  return [...on, ...rest];
}

/** `people`: what the server knows of that name. */
function found(text: string, people: Person[]): Command[] {
  const word = text.trim().toLowerCase();
  if (word.startsWith("/")) return places().filter((one) => one.path?.includes(word));
  const number = /^#?(\d+)$/.exec(word)?.[1];
  const persons = word.startsWith("@");
  const bare = word.replace(/^[>@]/, "").trim();
  const list: Command[] = [];
  if (number) list.push({ label: `Open #${number}`, hint: "conversation", run: () => void jump(Number(number)) });
  if (!persons) list.push(...commands().filter((one) => one.label.toLowerCase().includes(bare)));
  if (persons) {
    const fits = technicians.value.filter((one) => `${one.id} ${one.name}`.toLowerCase().includes(bare));
    list.push(...fits.map((one) => ({ label: one.name, hint: `technician · ${one.presence}`, run: () => { route.value = "chat"; query.value = `assignee:${one.id} `; } })));
    list.push(...people.map((one) => ({ label: one.name, hint: `requester · ${one.latest.reference}`, run: () => { route.value = "chat"; void jump(one.latest.id); } })));
  }
  if (!word.startsWith(">")) {
    for (const chat of chats.value.values()) {
      if (bare && `${chat.reference} ${chat.requester.name} ${chat.subject}`.toLowerCase().includes(bare)) list.push({ label: `${chat.requester.name} · ${chat.subject}`, hint: chat.reference, run: () => { route.value = "chat"; open(chat.id); } });
    }
  }
  return list.slice(0, 40);
}

function Palette() {
  const [text, setText] = useState("");
  const [pick, setPick] = useState(0);
  const [people, setPeople] = useState<Person[]>([]);
  const name = text.trim().startsWith("@") ? text.trim().slice(1).trim() : "";
  useEffect(() => {
    setPeople([]);
    if (name.length < 2) return undefined;
    let over = false;
    const wait = setTimeout(() => {
      page<Person>(`/people?q=${encodeURIComponent(name.slice(0, 200))}&limit=8`).then(({ data }) => over || setPeople(data), () => {});
    }, 150);
    return () => {
      over = true;
      clearTimeout(wait);
    };
  }, [name]);
  const list = found(text, people);
  const at = Math.min(pick, list.length - 1);
  const run = (one: Command | undefined) => {
    if (!one) return;
    close();
    // After the focus has gone back.
    setTimeout(one.run, 0);
  };
  useEffect(() => document.getElementById(`command-${at}`)?.scrollIntoView({ block: "nearest" }), [at]);
  return (
    <Modal title="Search or run">
      <input class="palette-input" autofocus role="combobox" aria-expanded="true" aria-controls="commands" aria-activedescendant={`command-${at}`} aria-label="Search or run" placeholder="A command, #1042, @name, /settings…" value={text}
        onInput={(event) => { setText(event.currentTarget.value); setPick(0); }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            setPick(Math.max(0, Math.min(list.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))));
          } else if (event.key === "Enter") {
            event.preventDefault();
            run(list[at]);
          }
        }} />
      <ul id="commands" class="commands" role="listbox" aria-label="Found">
        {list.map((one, n) => <li key={one.label + one.hint} id={`command-${n}`} role="option" aria-selected={n === at} onClick={() => run(one)}><span>{one.label}</span>{one.hint && <kbd>{one.hint}</kbd>}</li>)}
      </ul>
      {list.length === 0 && <p class="empty">Nothing fits.</p>}
    </Modal>
  );
}

function Help() {
  return (
    <Modal title="Keys">
      <h2>Keys</h2>
      <dl class="keys">{KEYS.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
      <button type="button" class="primary" autofocus onClick={close}>Close</button>
    </Modal>
  );
}

function People({ title, what, places, act }: { title: string; what: string; places?: boolean; act: (to: string) => Promise<boolean> }) {
  const [text, setText] = useState("");
  const word = text.toLowerCase();
  const people = technicians.value.filter((one) => one.id !== own.value && `${one.id} ${one.name}`.toLowerCase().includes(word));
  const rooms = places ? queues.value.filter((one) => one.name !== current.value?.queue && one.name.includes(word)) : [];
  const to = (target: string) => async () => {
    if (await act(target)) close();
  };
  return (
    <Modal title={title}>
      <h2>{title}</h2>
      <p class="muted">{what}</p>
      <input class="palette-input" autofocus aria-label="Filter" placeholder="A name…" value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <ul class="people">
        {people.map((one) => <li key={one.id}><button type="button" onClick={to(`@${one.id}`)}><span class="dot" data-presence={one.presence} aria-hidden="true" /> {one.name} <span class="muted">{one.presence} · {one.load}/{one.capacity}</span></button></li>)}
        {rooms.map((one) => <li key={one.name}><button type="button" onClick={to(`#${one.name}`)}># {one.name} <span class="muted">{one.waiting} waiting</span></button></li>)}
      </ul>
      {people.length + rooms.length === 0 && <p class="empty">Nobody else is in your queues.</p>}
      <button type="button" onClick={close}>Cancel</button>
    </Modal>
  );
}

function Snooze() {
  const [own, setOwn] = useState("");
  const act = (period: string) => async () => {
    if (await verb("snooze", { for: period })) close();
  };
  return (
    <Modal title="Snooze">
      <h2>Snooze {selected.value ? `#${selected.value}` : ""}</h2>
      <p class="muted">It comes back to the top of your list; a message of the requester ends it.</p>
      <p class="row">{["30m", "1h", "2h", "4h", "tomorrow"].map((one, n) => <button key={one} type="button" autofocus={n === 0} onClick={act(one)}>{one}</button>)}</p>
      <form class="row" onSubmit={(event) => { event.preventDefault(); void act(own)(); }}>
        <label>Other<input value={own} placeholder="45m, 3h, 2d" onInput={(event) => setOwn(event.currentTarget.value)} required /></label>
        <button>Snooze</button>
        <button type="button" onClick={close}>Cancel</button>
      </form>
    </Modal>
  );
}

const SURE = "erase";

function Erase() {
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const chat = current.value;
  if (!chat) return null;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (said.trim().toLowerCase() !== SURE || busy) return;
    setBusy(true);
    const good = await forgetPerson(chat);
    setBusy(false);
    if (good) close();
  };
  return (
    <Modal title="Erase a person">
      <h2>Erase {chat.requester.name}?</h2>
      <p>Every conversation of this person is closed, and loses all words, files and names: here, in tickets, in search, and where the bridge posted them for technicians. What was done, and when, stays in the log. It cannot be taken back.</p>
      <p class="muted">Copies on the platform itself, in other ticket systems and in backups are not reached. What the person writes afterwards starts anew.</p>
      <form onSubmit={submit}>
        <label>To confirm, type “{SURE}”<input autofocus value={said} autocomplete="off" onInput={(event) => setSaid(event.currentTarget.value)} required /></label>
        <p class="row">
          <button class="danger" disabled={busy || said.trim().toLowerCase() !== SURE}>Erase for good</button>
          <button type="button" onClick={close}>Cancel</button>
          {busy && <span class="muted" role="status">Being erased…</span>}
        </p>
      </form>
    </Modal>
  );
}

function Password() {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const good = await trying(() => put("/session/password", { old: form.get("old"), new: form.get("new") }));
    if (!good) return;
    close();
    toast("Your password is changed; other sessions are over.");
  };
  return (
    <Modal title="Change password">
      <h2>Change password</h2>
      <form onSubmit={submit}>
        <input class="hidden" type="email" autocomplete="username" value={me.value?.technician?.id ?? ""} readOnly tabIndex={-1} aria-hidden="true" />
        <label>Password so far<input name="old" type="password" autocomplete="current-password" required autofocus /></label>
        <label>New password<input name="new" type="password" autocomplete="new-password" minLength={12} required /></label>
        <p class="row"><button class="primary">Change</button><button type="button" onClick={close}>Cancel</button></p>
      </form>
    </Modal>
  );
}
