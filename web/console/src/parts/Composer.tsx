// Message Composer: reply or note with separate drafts, canned replies by /, mentions by @, files, emoji, undo send.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { attend, editLatest, restore, send, suggest, upload, verb } from "../acts.ts";
import { get, put } from "../api.ts";
import { Icon } from "../icons.tsx";
import { enter } from "../notify.ts";
import { canned, drafted, loadCanned, me, suggesting, technicians } from "../state.ts";
import { size } from "../time.ts";
import type { Conversation, Upload } from "../types.ts";
import { latestSuggestion } from "./Assist.tsx";

export interface Draft { reply: string; note: string }
type Kind = keyof Draft;

/** What is written, by conversation; the server keeps it for the next screen. */
const kept = new Map<number, Draft>();
const saving = new Map<number, ReturnType<typeof setTimeout>>();

function keepDraft(id: number, draft: Draft) {
  kept.set(id, draft);
  clearTimeout(saving.get(id));
  saving.set(id, setTimeout(() => void put(`/conversations/${id}/draft`, draft).catch(() => {}), 700));
}

const EMOJI = "😀 🙂 😉 😊 👍 👎 🙏 👏 🎉 ✅ ❌ ⚠️ 🔒 🔑 💻 🖥️ 🖨️ 📱 📧 📎 🔧 🔌 🌐 ⏳ ☕ ❤️ 🤔 😅 🙌 👋 💡 🚀".split(" ");

interface Choice { label: string; hint: string; text: string }

/** What stands before the caret and opens a list: `/word` at the start, `@word` in a note. */
function trigger(text: string, at: number, kind: Kind): { from: number; word: string; sign: "/" | "@" } | null {
  const before = text.slice(0, at);
  const slash = /^\/(\S*)$/.exec(before);
  if (slash) return { from: 0, word: (slash[1] ?? "").toLowerCase(), sign: "/" };
  const mention = kind === "note" ? /(?:^|\s)@([\p{L}\d._-]*)$/u.exec(before) : null;
  if (!mention) return null;
  return { from: before.length - (mention[1] ?? "").length - 1, word: (mention[1] ?? "").toLowerCase(), sign: "@" };
}

function choices(found: ReturnType<typeof trigger>, chat: Conversation): Choice[] {
  if (!found) return [];
  if (found.sign === "@") {
    return technicians.value.filter((one) => `${one.id} ${one.name}`.toLowerCase().includes(found.word)).slice(0, 8)
      .map((one) => ({ label: `@${one.id}`, hint: one.name, text: `@${one.id} ` }));
  }
  const filled = (text: string) => text.replaceAll("{{requester}}", chat.requester.name).replaceAll("{{technician}}", me.value?.technician?.name ?? "");
  return canned.value.filter((one) => `${one.shortcut} ${one.text}`.toLowerCase().includes(found.word)).slice(0, 8)
    .map((one) => ({ label: `/${one.shortcut}`, hint: one.text.slice(0, 80), text: filled(one.text) }));
}

export function Composer({ chat }: { chat: Conversation }) {
  const id = chat.id;
  const [kind, setKind] = useState<Kind>("reply");
  const [draft, setDraft] = useState<Draft>(kept.get(id) ?? { reply: "", note: "" });
  const [files, setFiles] = useState<Upload[]>([]);
  const [busy, setBusy] = useState(0);
  const [caret, setCaret] = useState(0);
  const [pick, setPick] = useState(0);
  const [closed, setClosed] = useState("");
  const [emoji, setEmoji] = useState(false);
  const [over, setOver] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const key = useRef({ of: "", key: "" });
  const goTo = useRef<number | null>(null);
  const text = draft[kind];
  const found = trigger(text, caret, kind);
  const offered = closed === text ? [] : choices(found, chat);
  const chosen = Math.min(pick, offered.length - 1);
  // Somebody may have added one since.
  useEffect(() => {
    if (found?.sign === "/") loadCanned().catch(() => {});
  }, [found?.sign]);

  const write = (to: string, which: Kind = kind) => {
    setDraft((before) => {
      const next = { ...before, [which]: to };
      keepDraft(id, next);
      return next;
    });
  };

  useEffect(() => {
    if (kept.has(id)) return;
    get<Draft>(`/conversations/${id}/draft`).then((stored) => {
      if (!kept.has(id) && (stored.reply || stored.note)) {
        kept.set(id, stored);
        setDraft(stored);
      }
    }, () => {});
  }, [id]);

  useEffect(() => {
    const compose = (event: Event) => {
      setKind((event as CustomEvent<Kind>).detail);
      area.current?.focus();
    };
    const insert = (event: Event) => put_(event as CustomEvent<string>);
    const put_ = (event: CustomEvent<string>) => {
      setKind("reply");
      setDraft((before) => {
        const next = { ...before, reply: before.reply ? `${before.reply}\n\n${event.detail}` : event.detail };
        keepDraft(id, next);
        return next;
      });
      requestAnimationFrame(() => area.current?.focus());
    };
    const replace = (event: Event) => {
      write((event as CustomEvent<string>).detail, "reply");
      setKind("reply");
      requestAnimationFrame(() => area.current?.focus());
    };
    window.addEventListener("deskbridge:compose", compose);
    window.addEventListener("deskbridge:insert", insert);
    window.addEventListener("deskbridge:replace", replace);
    return () => {
      window.removeEventListener("deskbridge:compose", compose);
      window.removeEventListener("deskbridge:insert", insert);
      window.removeEventListener("deskbridge:replace", replace);
    };
  }, [id]);

  // The AI assistance area works on it.
  useEffect(() => void (drafted.value = draft.reply), [draft.reply, id]);

  const back = restore.value;
  useEffect(() => {
    if (back?.id !== id) return;
    write(back.text, "reply");
    restore.value = null;
    requestAnimationFrame(() => area.current?.focus());
  }, [back]);

  // As high as its words, up to a third of the window.
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight + 2, window.innerHeight / 3)}px`;
  }, [text, kind]);

  const take = (choice: Choice) => {
    if (!found) return;
    const next = text.slice(0, found.from) + choice.text + text.slice(caret);
    write(next);
    const at = found.from + choice.text.length;
    setCaret(at);
    goTo.current = at;
    area.current?.focus();
  };

  // Before anything more is typed: a browser puts the caret behind words that a program wrote.
  useLayoutEffect(() => {
    if (goTo.current === null) return;
    area.current?.setSelectionRange(goTo.current, goTo.current);
    goTo.current = null;
  });

  const submit = async (resolve = false) => {
    if (busy > 0 || (!text.trim() && files.length === 0)) return;
    // Sent again after a failure, it is the same request: never two messages.
    const of = `${kind}\n${text}\n${files.map((one) => one.id).join()}`;
    if (key.current.of !== of) key.current = { of, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
    setBusy(1);
    const good = await send({ id, kind, text, files, key: key.current.key });
    setBusy(0);
    if (!good) return;
    key.current = { of: "", key: "" };
    write("");
    setFiles([]);
    setCaret(0);
    attend("viewing");
    if (resolve) await verb("resolve", {}, id);
    area.current?.focus();
  };

  const add = async (list: Iterable<File>) => {
    for (const file of list) {
      setBusy((n) => n + 1);
      const stored = await upload(id, file);
      setBusy((n) => n - 1);
      if (stored) setFiles((before) => [...before, stored].slice(0, 10));
    }
  };

  const down = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (offered.length > 0) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        setPick((chosen + (event.key === "ArrowDown" ? 1 : offered.length - 1)) % offered.length);
        return;
      }
      const choice = offered[chosen];
      if ((event.key === "Enter" || event.key === "Tab") && choice && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        take(choice);
        return;
      }
      if (event.key === "Escape") {
        event.preventDefault();
        setClosed(text);
        return;
      }
    }
    const command = event.ctrlKey || event.metaKey;
    if (event.key === "ArrowUp" && !text && !command && !event.shiftKey && !event.altKey) {
      if (editLatest()) event.preventDefault();
      return;
    }
    if (event.key === "Enter" && (command || (enter.value && !event.shiftKey && !event.altKey))) {
      event.preventDefault();
      void submit(command && event.shiftKey);
    } else if (event.key === "Tab" && !event.shiftKey && kind === "reply" && !text) {
      const suggestion = latestSuggestion();
      if (!suggestion) return;
      event.preventDefault();
      write(suggestion.body);
    }
  };

  const input = (event: InputEvent) => {
    const element = event.currentTarget as HTMLTextAreaElement;
    write(element.value);
    setCaret(element.selectionStart);
    setPick(0);
    setClosed("");
    attend(kind === "note" ? "noting" : "replying");
  };

  const internal = kind === "note";
  const accepts = chat.stage === "handover";
  return (
    <form class="composer" data-kind={kind} data-over={over} aria-label="Message composer" onSubmit={(event) => { event.preventDefault(); void submit(); }}
      onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
      onDrop={(event) => { event.preventDefault(); setOver(false); void add(event.dataTransfer?.files ?? []); }}>
      <div class="kinds" role="tablist" aria-label="Reply or note">
        {(["reply", "note"] as const).map((one) => (
          <button key={one} type="button" role="tab" aria-selected={kind === one} aria-controls="composer" tabIndex={kind === one ? 0 : -1}
            onClick={() => { setKind(one); area.current?.focus(); }}
            onKeyDown={(event) => {
              if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
              event.preventDefault();
              setKind(kind === "reply" ? "note" : "reply");
              ((event.currentTarget.nextElementSibling ?? event.currentTarget.previousElementSibling) as HTMLElement).focus();
            }}>
            {one === "reply" ? "Reply" : <>Note <Icon name="lock" /></>}
            {draft[one] && kind !== one && <span class="pen" aria-label="has a draft">•</span>}
          </button>
        ))}
        <span class="goes">{internal ? "Internal: only technicians see this" : accepts ? `Replying accepts; goes to ${chat.requester.name}` : `Goes to ${chat.requester.name}`}</span>
      </div>
      {offered.length > 0 && (
        <ul class="choices" role="listbox" id="choices" aria-label={found?.sign === "@" ? "Mention" : "Canned replies"}>
          {offered.map((one, at) => (
            <li key={one.label + at} id={`choice-${at}`} role="option" aria-selected={at === chosen} onPointerDown={(event) => { event.preventDefault(); take(one); }}><strong>{one.label}</strong> <span class="muted">{one.hint}</span></li>
          ))}
        </ul>
      )}
      <textarea id="composer" ref={area} value={text} rows={2} maxLength={100_000} aria-label={internal ? "Internal note" : `Reply to ${chat.requester.name}`}
        placeholder={internal ? "A note for colleagues…  @ mentions" : "Write a reply…  / for canned replies"}
        aria-controls={offered.length > 0 ? "choices" : undefined} aria-autocomplete="list" aria-activedescendant={offered.length > 0 ? `choice-${chosen}` : undefined}
        onInput={input} onKeyDown={down} onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onPaste={(event) => {
          const pasted = [...(event.clipboardData?.files ?? [])];
          if (pasted.length === 0) return;
          event.preventDefault();
          void add(pasted);
        }} />
      {files.length > 0 && (
        <ul class="files" aria-label="Attached files">
          {files.map((one) => (
            <li key={one.id}><Icon name="file" /> {one.name} <span class="muted">{size(one.size)}</span>
              <button type="button" class="quiet small" aria-label={`Remove ${one.name}`} onClick={() => setFiles(files.filter((other) => other !== one))}><Icon name="close" /></button></li>
          ))}
        </ul>
      )}
      <div class="tools">
        <label class="quiet button" title="Attach a file"><Icon name="clip" /><span class="hidden">Attach files</span>
          <input type="file" class="hidden" multiple onChange={(event) => { void add([...(event.currentTarget.files ?? [])]); event.currentTarget.value = ""; }} /></label>
        <button type="button" class="quiet" aria-label="Emoji" aria-expanded={emoji} onClick={() => setEmoji(!emoji)}><Icon name="smile" /></button>
        <button type="button" class="quiet" aria-label="Suggest a reply" title="Key: G" disabled={suggesting.value} onClick={suggest}><Icon name="spark" /></button>
        {emoji && (
          <div class="emoji" role="group" aria-label="Emoji" onKeyDown={(event) => { if (event.key === "Escape") { event.preventDefault(); setEmoji(false); } }}>
            {EMOJI.map((one) => <button key={one} type="button" onClick={() => { const at = area.current?.selectionStart ?? text.length; write(text.slice(0, at) + one + text.slice(at)); setEmoji(false); area.current?.focus(); }}>{one}</button>)}
          </div>
        )}
        <span class="room" />
        {!internal && chat.stage === "assigned" && <button type="button" onClick={() => void submit(true)} disabled={busy > 0 || !text.trim()} title="Ctrl Shift Enter">Send & resolve</button>}
        <button class="primary" disabled={busy > 0 || (!text.trim() && files.length === 0)} title={enter.value ? "Enter or Ctrl Enter" : "Ctrl Enter"}>{busy > 0 ? "…" : internal ? "Add note" : "Send"}</button>
      </div>
    </form>
  );
}

