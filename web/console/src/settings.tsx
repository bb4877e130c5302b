// Settings: what an admin changes daily. What the file sets is shown and cannot be changed here.
// Not here: channels' tokens and addresses; those are the file's.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { trying } from "./acts.ts";
import { get, page, post, put, remove } from "./api.ts";
import { openSettings, rank, sheet, sheets } from "./pages.ts";
import type { Sheet } from "./pages.ts";
import { Person, known } from "./person.tsx";
import { canned, loadCanned, own, toast } from "./state.ts";
import { full } from "./time.ts";
import { Sites } from "./sites.tsx";
import type { Account, Canned, Channel, Setting, Token } from "./types.ts";

const SHEETS: Record<Sheet, () => ComponentChildren> = {
  Queues: () => <Queues />,
  Technicians: () => <Technicians />,
  Rules: () => <Rules />,
  "Canned replies": () => <CannedReplies />,
  "Widget sites": () => <Sites />,
  Channels: () => <Channels />,
  "API tokens": () => <Tokens />,
  "Audit log": () => <Audit />,
};

const settings = signal<Setting[]>([]);
const loadSettings = async () => void (settings.value = await get<Setting[]>("/settings"));

export function SettingsPage() {
  const open = sheet();
  useEffect(() => {
    if (sheets().includes("Queues")) void trying(loadSettings);
  }, []);
  if (!open) return null;
  return (
    <div class="settings-grid">
      <nav aria-label="Settings">
        {sheets().map((name) => <button key={name} type="button" aria-current={open === name ? "page" : undefined} onClick={() => openSettings(name)}>{name}</button>)}
      </nav>
      <section class="sheet" aria-labelledby="sheet">
        <h2 id="sheet">{open}</h2>
        {SHEETS[open]()}
      </section>
    </div>
  );
}

/** How a setting is called, and what it takes. */
const KNOWN: Record<string, { label: string; choices?: string[]; hint?: string }> = {
  allocation: { label: "Allocation", choices: ["round-robin", "load-based", "first-accept"] },
  technicians: { label: "Members", hint: "names or ids, separated by commas; empty: everybody who names no queue" },
  hours: { label: "Opening hours", hint: "like mon-fri 08:00-18:00; one line each" },
  holidays: { label: "Holidays", hint: "dates like 2026-12-25, separated by commas" },
  timezone: { label: "Time zone", hint: "like Europe/Lisbon" },
  skills: { label: "Skills asked for", hint: "separated by commas" },
  priority: { label: "Priority", hint: "0 to 255; higher goes first" },
  overflow: { label: "Overflow queue", hint: "where a conversation goes that waited too long" },
  auto_accept: { label: "Accept by itself" },
  mode: { label: "Assistant", choices: ["first", "choice", "draft-only", "off"] },
  requester_reminder: { label: "Remind the requester after" },
  requester_close: { label: "Close after silence of the requester" },
  offer: { label: "An offer is good for" },
  max_wait: { label: "Longest wait" },
  technician_nudge: { label: "Nudge a silent technician after" },
  technician_requeue: { label: "Offer to the next after" },
  offline_grace: { label: "Grace when a technician goes offline" },
  "desk.undo_window": { label: "A reply can be taken back for" },
  "handover.confirm": { label: "Ask before a handover", choices: ["when-inferred", "always", "never"] },
  "sessions.reopen_window": { label: "A late message reopens within" },
  "tickets.create": { label: "A ticket is opened at", choices: ["handover", "claim", "close", "manual"] },
  "tickets.auto_close": { label: "A resolved ticket is closed after" },
  "assistant.mode": { label: "Assistant", choices: ["first", "choice", "draft-only", "off"] },
  "assistant.burst_window": { label: "Messages are one turn within" },
  "assistant.max_turns": { label: "Answers before people are called", hint: "1 to 100" },
};

export const FROM: Record<string, string> = { default: "default", file: "set in the file", environment: "set in the environment", console: "set here" };
const LISTS = ["technicians", "skills", "holidays"];

/** `between`: the things of a list. */
export function shown(value: unknown, between = ", "): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(between);
  if (typeof value === "object") return Object.entries(value).map(([days, times]) => `${days} ${Array.isArray(times) ? times.join(", ") : String(times)}`).join("\n");
  return String(value);
}

function read(key: string, text: string, before: unknown): unknown {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (key === "hours") return trimmed.split("\n").map((line) => line.trim()).filter(Boolean);
  if (LISTS.includes(key)) return trimmed.split(",").map((one) => one.trim()).filter(Boolean);
  return typeof before === "number" || key === "priority" || key === "max_turns" ? Number(trimmed) : trimmed;
}

function Row({ path, setting }: { path: string; setting: Setting | undefined }) {
  const key = path.split(".").pop() ?? path;
  const known = KNOWN[path] ?? KNOWN[key] ?? { label: key };
  const value = setting?.value;
  // As it is typed: opening hours are a line each.
  const stands = shown(value, key === "hours" ? "\n" : ", ");
  const [text, setText] = useState(stands);
  useEffect(() => setText(stands), [stands]);
  const editable = setting?.editable ?? true;
  const save = (to: unknown) => void trying(async () => {
    await put("/settings", { path, value: to });
    await loadSettings();
    toast(`${known.label}: saved`);
  });
  const id = `setting-${path}`;
  const changed = text !== stands;
  const input = known.choices ? (
    <select id={id} value={String(value ?? "")} disabled={!editable} onChange={(event) => save(event.currentTarget.value)}>
      {value === null || value === undefined ? <option value="">as everywhere</option> : null}
      {known.choices.map((one) => <option key={one} value={one}>{one}</option>)}
    </select>
  ) : typeof value === "boolean" ? (
    <input id={id} type="checkbox" checked={value} disabled={!editable} onChange={(event) => save(event.currentTarget.checked)} />
  ) : key === "hours" ? (
    <textarea id={id} rows={3} value={text} disabled={!editable} placeholder="always open" aria-describedby={`${id}-from`} onInput={(event) => setText(event.currentTarget.value)} />
  ) : (
    <input id={id} value={text} disabled={!editable} aria-describedby={`${id}-from`} onInput={(event) => setText(event.currentTarget.value)} />
  );
  return (
    <form class="setting" onSubmit={(event) => { event.preventDefault(); save(read(key, text, value)); }}>
      <label for={id}>{known.label}</label>
      <div class="value">
        {input}
        {editable && changed && <button class="primary">Save</button>}
        {setting?.from === "console" && !changed && <button type="button" onClick={() => save(null)}>Take the default</button>}
        <span class="from" id={`${id}-from`}>{FROM[setting?.from ?? "default"]}{known.hint ? ` · ${known.hint}` : ""}</span>
      </div>
    </form>
  );
}

const QUEUE = ["allocation", "technicians", "auto_accept", "priority", "skills", "overflow", "mode", "timezone", "hours", "holidays"];
const TIMERS = ["requester_reminder", "requester_close", "offer", "max_wait", "technician_nudge", "technician_requeue", "offline_grace"];

function Queues() {
  const names = [...new Set(settings.value.map((one) => /^queues\.([a-z0-9-]+)\./.exec(one.path)?.[1]).filter((one): one is string => Boolean(one)))];
  const by = (path: string) => settings.value.find((one) => one.path === path);
  return (
    <>
      {names.map((name) => (
        <details key={name} open={names.length < 3}>
          <summary><strong>{name}</strong></summary>
          {QUEUE.map((key) => <Row key={key} path={`queues.${name}.${key}`} setting={by(`queues.${name}.${key}`)} />)}
          <h3>Timers</h3>
          {TIMERS.map((key) => <Row key={key} path={`queues.${name}.timers.${key}`} setting={by(`queues.${name}.timers.${key}`)} />)}
        </details>
      ))}
      <p class="muted">Times are written like 90s, 10m, 2h or 3d. New queues and the channels' rooms are set in the file.</p>
    </>
  );
}

function Rules() {
  const paths = ["handover.confirm", "sessions.reopen_window", "desk.undo_window", "tickets.create", "tickets.auto_close", "assistant.mode", "assistant.burst_window", "assistant.max_turns"];
  return <>{paths.map((path) => <Row key={path} path={path} setting={settings.value.find((one) => one.path === path)} />)}</>;
}

/** Reads a list when the sheet opens. */
export function useList<T>(path: string): [T[] | null, () => Promise<void>] {
  const [list, setList] = useState<T[] | null>(null);
  const load = async () => setList(await get<T[]>(path));
  useEffect(() => void trying(load), []);
  return [list, load];
}

interface Question { title: string; what: string; yes: string; act: () => void }

/** Before something is taken from somebody. The focus goes to the way out, and back to where it was. */
function Sure({ question, close }: { question: Question; close: () => void }) {
  const out = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    out.current?.focus();
    return () => before?.focus();
  }, [question]);
  return (
    <div class="secret" role="group" aria-label={question.title} onKeyDown={(event) => {
      if (event.key !== "Escape") return;
      // It closes this, and not the settings around it.
      event.preventDefault();
      close();
    }}>
      <p><strong>{question.title}</strong></p>
      <p>{question.what}</p>
      <p class="row"><button type="button" class="danger" onClick={() => { close(); question.act(); }}>{question.yes}</button> <button type="button" ref={out} onClick={close}>Cancel</button></p>
    </div>
  );
}

/** What an admin takes from somebody else, each after a question. */
function taken(one: Account, act: (run: () => Promise<unknown>, said: string) => () => void): (Question & { label: string; name: string })[] {
  const questions = [];
  if (one.factor) {
    questions.push({
      label: "Reset second factor", name: `Reset second factor of ${one.name}`, title: `Reset the second factor of ${one.name}?`,
      what: `Their sessions end. ${one.name} then signs in with the password alone, and can set up another. Be sure that it is ${one.name} who asks.`,
      yes: "Reset it", act: act(() => remove(`/technicians/${one.technician}/factor`), "The second factor is reset"),
    });
  }
  if (one.provider) {
    questions.push({
      label: "Unlink", name: `Unlink the company account of ${one.name}`, title: `Unlink the company account of ${one.name}?`,
      what: "Their sessions end. Whoever signs in next with a company account of this e-mail address is linked instead.",
      yes: "Unlink it", act: act(() => remove(`/technicians/${one.technician}/provider`), "Unlinked"),
    });
  }
  return questions;
}

function Technicians() {
  const [list, load] = useList<Account>("/accounts");
  const [question, setQuestion] = useState<Question | null>(null);
  const [link, setLink] = useState<{ name: string; url: string } | null>(null);
  /** Who is being changed, or somebody new. */
  const [at, setAt] = useState<string | null>(null);
  const act = (run: () => Promise<unknown>, said: string) => () => void trying(async () => {
    await run();
    await load();
    toast(said);
  });
  const invite = (one: Account) => () => void trying(async () => {
    const made = await post<{ path: string }>(`/technicians/${one.technician}/login-link`);
    setLink({ name: one.name, url: location.origin + made.path });
  });
  if (!list) return <p class="loading">Loading…</p>;
  return (
    <>
      {link && <div class="secret" role="status"><p>A link for {link.name}, good once and for three days. Send it to nobody else:</p><p><code>{link.url}</code></p>
        <button type="button" onClick={() => void navigator.clipboard?.writeText(link.url).then(() => toast("Copied"))}>Copy</button> <button type="button" onClick={() => setLink(null)}>Done</button></div>}
      {question && <Sure question={question} close={() => setQuestion(null)} />}
      <div class="table" tabIndex={0} role="region" aria-label="Table: technicians"><table>
        <thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">Signs in as</th><th scope="col">Account</th><th scope="col">Actions</th></tr></thead>
        <tbody>{list.map((one) => (
          <tr key={one.technician}>
            <td>{one.name} {one.fixed && <span class="badge" title="stands in the file">file</span>}</td><td>{one.role}</td><td>{one.login ?? "–"}</td><td>{one.state}{one.factor && <> <span class="badge">second factor</span></>}{one.provider && <> <span class="badge">company account</span></>}</td>
            <td>
              {!one.fixed && <button type="button" onClick={() => setAt(one.technician)} aria-label={`Change ${one.name}`}>Change</button>}
              {one.technician !== own.value && <button type="button" onClick={invite(one)} aria-label={`One-time link for ${one.name}`}>Link</button>}
              {one.state === "active" && one.technician !== own.value && <button type="button" onClick={act(() => put(`/technicians/${one.technician}/account`, { disabled: true }), "Disabled")} aria-label={`Disable ${one.name}`}>Disable</button>}
              {one.state === "disabled" && <button type="button" onClick={act(() => put(`/technicians/${one.technician}/account`, { disabled: false }), "Enabled")} aria-label={`Enable ${one.name}`}>Enable</button>}
              {one.technician !== own.value && taken(one, act).map((asked) => <button key={asked.label} type="button" onClick={() => setQuestion(asked)} aria-label={asked.name}>{asked.label}</button>)}
              {!one.fixed && one.technician !== own.value && <button type="button" class="danger" onClick={act(() => remove(`/technicians/${one.technician}`), "Removed")} aria-label={`Remove ${one.name}`}>Remove</button>}
            </td>
          </tr>
        ))}</tbody>
      </table></div>
      {at !== null ? <Person key={at} one={known(settings.value, at)} cancel={() => setAt(null)} done={async () => { setAt(null); await Promise.all([load(), loadSettings()]); }} />
        : <p><button type="button" class="primary" onClick={() => setAt("")}>Add a technician</button></p>}
    </>
  );
}

function CannedReplies() {
  useEffect(() => void trying(loadCanned), []);
  const [editing, setEditing] = useState<Canned | "new" | null>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const body = { shortcut: form.get("shortcut"), text: form.get("text"), shared: form.get("shared") === "on" };
    void trying(async () => {
      if (editing === "new") await post("/canned", body);
      else if (editing) await put(`/canned/${editing.id}`, body);
      await loadCanned();
      setEditing(null);
    });
  };
  const one = editing !== "new" ? editing : null;
  // Everybody's are changed by those who look after everybody.
  const may = (reply: Canned) => !reply.shared || rank() > 0;
  return (
    <>
      <p class="muted">Typed in the composer behind <kbd>/</kbd>. <code>{"{{requester}}"}</code> and <code>{"{{technician}}"}</code> are filled in.</p>
      <ul>
        {canned.value.map((reply) => (
          <li key={reply.id} class="setting"><span><strong>/{reply.shortcut}</strong>{reply.shared && <span class="badge">everybody's</span>}</span>
            <span class="value"><span>{reply.text.slice(0, 140)}</span>
              {may(reply) && <button type="button" onClick={() => setEditing(reply)} aria-label={`Edit ${reply.shortcut}`}>Edit</button>}
              {may(reply) && <button type="button" class="danger" onClick={() => void trying(async () => { await remove(`/canned/${reply.id}`); await loadCanned(); })} aria-label={`Remove ${reply.shortcut}`}>Remove</button>}</span></li>
        ))}
      </ul>
      {editing ? (
        <form class="form" key={one?.id ?? "new"} onSubmit={submit}>
          <label>Shortcut<input name="shortcut" required maxLength={40} pattern="\S+" defaultValue={one?.shortcut ?? ""} autofocus /></label>
          <label>Text<textarea name="text" rows={4} required maxLength={20000} defaultValue={one?.text ?? ""} /></label>
          {editing === "new" && rank() > 0 && <label><input name="shared" type="checkbox" defaultChecked /> For everybody</label>}
          <p class="row"><button class="primary">Save</button><button type="button" onClick={() => setEditing(null)}>Cancel</button></p>
        </form>
      ) : <p><button type="button" class="primary" onClick={() => setEditing("new")}>Add a reply</button></p>}
    </>
  );
}

function Channels() {
  const [list, load] = useList<Channel>("/channels");
  if (!list) return <p class="loading">Loading…</p>;
  return (
    <>
      <div class="table" tabIndex={0} role="region" aria-label="Table: channels"><table>
        <thead><tr><th scope="col">Channel</th><th scope="col">State</th><th scope="col">Since</th><th scope="col">Detail</th><th scope="col">Carries</th></tr></thead>
        <tbody>{list.map((one) => (
          <tr key={one.name}><td>{one.name}</td><td><span class="badge">{one.health.state}</span></td><td>{one.health.since ? full(one.health.since) : "–"}</td><td>{one.health.detail ?? "–"}</td>
            <td>{[one.requesters && "requesters", one.desks > 0 && `${one.desks} desk room${one.desks > 1 ? "s" : ""}`].filter(Boolean).join(", ")}</td></tr>
        ))}</tbody>
      </table></div>
      <p><button type="button" onClick={() => void trying(load)}>Look again</button></p>
    </>
  );
}

const SCOPES = ["chats:read", "chats:write", "tickets:read", "tickets:write", "presence:write", "metrics:read", "admin"];

function Tokens() {
  const [list, load] = useList<Token>("/tokens");
  const [made, setMade] = useState<string | null>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    const form = new FormData(element);
    const days = Number(form.get("days") ?? 0);
    void trying(async () => {
      const technician = String(form.get("technician") ?? "").trim();
      const found = await post<{ token: string }>("/tokens", { name: form.get("name"), scopes: form.getAll("scope"), ...(days > 0 ? { days } : {}), ...(technician ? { technician } : {}) });
      setMade(found.token);
      element.reset();
      await load();
    });
  };
  if (!list) return <p class="loading">Loading…</p>;
  return (
    <>
      {made && <div class="secret" role="status"><p>Shown now and never again:</p><p><code>{made}</code></p><button type="button" onClick={() => setMade(null)}>Done</button></div>}
      <div class="table" tabIndex={0} role="region" aria-label="Table: tokens"><table>
        <thead><tr><th scope="col">Name</th><th scope="col">Allows</th><th scope="col">For</th><th scope="col">Good until</th><th scope="col">State</th><th scope="col">Actions</th></tr></thead>
        <tbody>{list.map((one) => (
          <tr key={one.id}><td>{one.name}</td><td>{one.scopes.join(" ")}</td><td>{one.technician ?? "–"}</td><td>{one.expires ? full(one.expires) : "revoked"}</td><td>{one.state}</td>
            <td>{one.state === "good" && <button type="button" class="danger" onClick={() => void trying(async () => { await remove(`/tokens/${one.id}`); await load(); })} aria-label={`Revoke ${one.name}`}>Revoke</button>}</td></tr>
        ))}</tbody>
      </table></div>
      <form class="form" onSubmit={submit}>
        <h3>New token</h3>
        <div class="pair">
          <label>What it is for<input name="name" required maxLength={100} /></label>
          <label>Acts for (a technician's id)<input name="technician" /></label>
          <label>Days<input name="days" type="number" min={0} max={3650} placeholder="until revoked" /></label>
        </div>
        <fieldset><legend>What it allows</legend>{SCOPES.map((one) => <label key={one}><input type="checkbox" name="scope" value={one} defaultChecked={one === "chats:read"} /> {one}</label>)}</fieldset>
        <p><button class="primary">Make it</button></p>
      </form>
    </>
  );
}

interface Audited { id: number; at: string; by: string | null; act: string; conversation: number | null }

function Audit() {
  const [list, setList] = useState<Audited[] | null>(null);
  useEffect(() => void trying(async () => setList((await page<Audited>("/audit?limit=200")).data)), []);
  if (!list) return <p class="loading">Loading…</p>;
  return (
    <div class="table" tabIndex={0} role="region" aria-label="Table: audit log"><table>
      <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th></tr></thead>
      <tbody>{list.map((one) => <tr key={one.id}><td>{full(one.at)}</td><td>{one.by ?? "–"}</td><td>{one.act}{one.conversation ? ` · #${one.conversation}` : ""}</td></tr>)}</tbody>
    </table></div>
  );
}
