// Labels and priority of the conversation that is open: what technicians find it by, and how soon it is somebody's turn.

import { useState } from "preact/hooks";
import { verb } from "../acts.ts";
import { LEVELS, current, dialog, labelsInUse, levelName, queues } from "../state.ts";
import { Modal } from "./Dialogs.tsx";

const close = () => (dialog.value = null);

/** As the server spells a label; empty when it is none. */
const spelled = (text: string) => text.trim().toLowerCase().replace(/^#+/, "").replace(/\s+/g, "-").replace(/[^\p{L}\p{N}._-]/gu, "").replace(/^[-._]+|[-._]+$/g, "").slice(0, 40);

export function Labels() {
  const chat = current.value;
  const [text, setText] = useState("");
  if (!chat) return null;
  const word = spelled(text);
  const others = labelsInUse.value.filter((label) => !chat.labels.includes(label) && label.includes(word)).slice(0, 12);
  const put = (label: string) => async () => {
    if (label && (await verb("label", { labels: label }))) setText("");
  };
  const off = (label: string) => () => void verb("label", { labels: `-${label}` });
  return (
    <Modal title="Labels">
      <h2>Labels of {chat.reference}</h2>
      {chat.labels.length === 0 ? <p class="muted">None yet. Search for one with <code>label:vpn</code>.</p> : (
        <ul class="marks" aria-label="On it now">
          {chat.labels.map((label) => <li key={label}><button type="button" class="mark" aria-label={`Take ${label} off`} onClick={off(label)}>#{label} ✕</button></li>)}
        </ul>
      )}
      <form class="row" onSubmit={(event) => { event.preventDefault(); void put(word)(); }}>
        <label>Add a label<input autofocus value={text} maxLength={60} autocomplete="off" spellcheck={false} placeholder="vpn, floor-2, vip" onInput={(event) => setText(event.currentTarget.value)} /></label>
        <button class="primary" disabled={!word || chat.labels.includes(word)}>Add {word && `#${word}`}</button>
        <button type="button" onClick={close}>Done</button>
      </form>
      {others.length > 0 && (
        <ul class="marks" aria-label="In use elsewhere">
          {others.map((label) => <li key={label}><button type="button" class="mark add" aria-label={`Put ${label} on`} onClick={put(label)}>+ {label}</button></li>)}
        </ul>
      )}
    </Modal>
  );
}

export function Priority() {
  const chat = current.value;
  const [text, setText] = useState("");
  if (!chat) return null;
  const set = (level: number) => async () => {
    if (await verb("priority", { level: String(level) })) close();
  };
  const usual = queues.value.find((queue) => queue.name === chat.queue)?.priority ?? 0;
  const levels = LEVELS.some((one) => one.level === usual) ? LEVELS : [...LEVELS, { level: usual, name: `P${usual}` }];
  return (
    <Modal title="Priority">
      <h2>Priority of {chat.reference}</h2>
      <p class="muted">Who waits with a higher one is offered first. It is {levelName(chat.priority)} now.</p>
      <p class="row" role="group" aria-label="Priority">
        {levels.map((one) => <button key={one.level} type="button" autofocus={one.level === chat.priority} aria-pressed={one.level === chat.priority} onClick={set(one.level)}>{one.name}{one.level === usual ? " (usual here)" : ""}</button>)}
      </p>
      <form class="row" onSubmit={(event) => { event.preventDefault(); void set(Number(text))(); }}>
        <label>Another number<input type="number" min={0} max={255} required value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
        <button>Set</button>
        <button type="button" onClick={close}>Cancel</button>
      </form>
    </Modal>
  );
}
