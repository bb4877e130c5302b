// What can be done with one's own words after they were said: changed, or taken away, wherever they are shown.

import { useEffect, useRef, useState } from "preact/hooks";
import { edit, erase } from "../acts.ts";
import { focusOn } from "../keys.ts";
import { bare } from "../markdown.tsx";
import { enter } from "../notify.ts";
import { editing } from "../state.ts";
import type { Message } from "../types.ts";

const start = (message: Message) => bare(message.text ?? "").slice(0, 40);

export function Tools({ message }: { message: Message }) {
  const [sure, setSure] = useState(false);
  const really = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (sure) really.current?.focus();
  }, [sure]);
  if (sure) {
    return (
      <p class="own-tools asked" role="group" aria-label="Delete this message?" onKeyDown={(event) => { if (event.key === "Escape") { event.preventDefault(); setSure(false); } }}>
        <span>Delete it{message.audience === "public" ? " for the requester too" : ""}?</span>
        <button type="button" class="danger" ref={really} onClick={() => void erase(message)}>Delete</button>
        <button type="button" onClick={() => setSure(false)}>Keep</button>
      </p>
    );
  }
  return (
    <p class="own-tools">
      {message.text !== null && <button type="button" class="quiet small" aria-label={`Edit: ${start(message)}`} onClick={() => (editing.value = message.id)}>Edit</button>}
      <button type="button" class="quiet small" aria-label={`Delete: ${start(message)}`} onClick={() => setSure(true)}>Delete</button>
    </p>
  );
}

export function Edit({ message }: { message: Message }) {
  const [text, setText] = useState(message.text ?? "");
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
    element.closest("form")?.scrollIntoView({ block: "nearest" });
  }, []);
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight + 2, window.innerHeight / 3)}px`;
  }, [text]);
  const leave = () => {
    editing.value = null;
    focusOn("composer");
  };
  const save = async () => {
    if (busy || !text.trim()) return;
    if (text === message.text) return leave();
    setBusy(true);
    const good = await edit(message, text);
    setBusy(false);
    if (good) leave();
  };
  const down = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      leave();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey || (enter.value && !event.shiftKey && !event.altKey))) {
      event.preventDefault();
      void save();
    }
  };
  return (
    <form class="edit" aria-label="Change this message" onSubmit={(event) => { event.preventDefault(); void save(); }}>
      <textarea ref={area} value={text} rows={2} maxLength={100_000} aria-label="New words" onInput={(event) => setText(event.currentTarget.value)} onKeyDown={down} />
      <p class="row">
        <span class="muted">{message.audience === "public" ? "The requester sees the new words." : "Internal"}</span>
        <button type="button" onClick={leave}>Cancel</button>
        <button class="primary" disabled={busy || !text.trim()}>Save</button>
      </p>
    </form>
  );
}
