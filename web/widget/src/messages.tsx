// Messages, as a list that is read from top to bottom. What is new is announced elsewhere, once.
import { useState } from "preact/hooks";
import { tree } from "../../shared/tree";
import { when } from "./home";
import type { FileShown } from "./protocol";
import type { Store } from "./store";
import type { Message, Talk, Waiting } from "./talk";
import { Edit, Tools } from "./own";
import { say } from "./words";

const PICTURE = /^image\/(png|jpeg|gif|webp)$/;

function Files({ store, files }: { store: Store; files: FileShown[] }) {
  if (files.length === 0) return null;
  const size = (bytes: number): string => (bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / (1 << 20)).toFixed(1)} MB`);
  return (
    <div class="files">
      {files.map((file) => {
        const href = file.url && `${store.host.api}${file.url}&name=${encodeURIComponent(file.name)}`;
        return href ? (
          <a key={file.id} class={PICTURE.test(file.mime) ? "" : "file"} href={href} target="_blank" rel="noopener noreferrer">
            {PICTURE.test(file.mime) ? (
              <img class="shot" src={href} alt={file.name} loading="lazy" />
            ) : (
              <>
                <span dir="auto">{file.name}</span> {size(file.size)}
              </>
            )}
          </a>
        ) : (
          <span class="file" key={file.id}>
            <span dir="auto">{file.name}</span>
          </span>
        );
      })}
    </div>
  );
}

function Actions({ store, talk, message, last }: { store: Store; talk: Talk; message: Message; last: boolean }) {
  talk.version.value;
  const rating = message.actions.some((action) => action.id.startsWith("rate:"));
  // Old choices mean nothing any more; a rating may be given late. To ask for people there is always a button below.
  const shown = message.actions.filter((action) => (last || rating || action.id.startsWith("fb:")) && action.id !== "human");
  if (shown.length === 0 || talk.pressed.has(message.id)) return null;
  return (
    <div class="chips" role="group" aria-label={rating ? say("rate") : undefined}>
      {shown.map((action) => (
        <button
          class="chip"
          type="button"
          key={action.id}
          onClick={() => store.press(talk.c, action.id, action.value, message.id)}
        >
          {action.label}
        </button>
      ))}
    </div>
  );
}

function One({ store, talk, message, last, seen }: { store: Store; talk: Talk; message: Message; last: boolean; seen: boolean }) {
  // Messages change in place; what tells of it is the version.
  talk.version.value;
  const me = message.from === "me";
  const [editing, setEditing] = useState(false);
  const emoji = [...new Set(message.reactions.map((one) => one.emoji))];
  return (
    <li class={`msg ${message.from}`}>
      <span class="who">
        {message.from === "assistant" && <span class="ai" aria-hidden="true">AI</span>}
        <span class={me ? "hidden" : ""} dir="auto">{store.author(message.from, message.name)}</span>
      </span>
      {message.deleted ? (
        <div class="bubble gone">{say("deleted")}</div>
      ) : editing ? (
        <Edit store={store} talk={talk} message={message} done={() => setEditing(false)} />
      ) : (
        <>
          {message.text !== "" && (
            <div class="bubble" dir="auto">{message.body && !me ? tree(message.body) : message.text}</div>
          )}
          <Files store={store} files={message.files} />
        </>
      )}
      {emoji.length > 0 && <span class="react">{emoji.join(" ")}</span>}
      <span class="meta">
        {when(message.at)}
        {message.edited && ` · ${say("edited")}`}
        {me && (seen ? ` · ${say("seen")} ✓✓` : ` · ${say("sent")} ✓`)}
        {!message.deleted && !editing && message.from !== "desk" && <Tools store={store} talk={talk} message={message} edit={() => setEditing(true)} />}
      </span>
      <Actions store={store} talk={talk} message={message} last={last} />
    </li>
  );
}

function Unsent({ store, talk, one }: { store: Store; talk: Talk; one: Waiting }) {
  return (
    <li class="msg me">
      {one.text !== "" && <div class="bubble" dir="auto">{one.text}</div>}
      <Files store={store} files={one.files} />
      {one.failed ? (
        <span class="meta bad">
          {say("failed")}: {one.failed}
          <button class="text" type="button" onClick={() => store.retry(talk, one.id)}>
            {say("again")}
          </button>
        </span>
      ) : (
        <span class="meta">{say("sending")}</span>
      )}
    </li>
  );
}

/** How far the other side has read: what was answered was read, and whoever has the conversation may have marked it. */
function readUpTo(talk: Talk): number {
  const read = talk.messages.findLast(({ from, mark }) => from === "assistant" || from === "technician" || mark === "seen");
  return read?.seq ?? 0;
}

export function Messages({ store, talk }: { store: Store; talk: Talk }) {
  talk.version.value;
  const read = readUpTo(talk);
  const growing = talk.growing.value;
  const lastOf = talk.messages.at(-1);
  return (
    <ul class="talk">
      {talk.messages.map((message) => (
        <One key={message.id} store={store} talk={talk} message={message} last={message === lastOf} seen={message.seq <= read} />
      ))}
      {talk.waiting.value.map((one) => (
        <Unsent key={one.id} store={store} talk={talk} one={one} />
      ))}
      {growing && (
        <li class="msg">
          <span class="who">{store.author(growing.from, growing.name)}</span>
          <div class="bubble">
            {growing.body ? (
              tree(growing.body)
            ) : (
              <>
                <span class="dots" aria-hidden="true"><i /><i /><i /></span>
                <span class="hidden">{say("typing", store.author(growing.from, growing.name))}</span>
              </>
            )}
          </div>
        </li>
      )}
    </ul>
  );
}

/** The conversation as a text file. */
export function save(store: Store, talk: Talk): void {
  const lines = talk.messages.filter((message) => !message.deleted).map((message) => {
    const files = message.files.map((file) => ` [${file.name}]`).join("");
    return `${new Date(message.at).toISOString()} ${store.author(message.from, message.name)}: ${message.text}${files}`;
  });
  const head = [talk.title, talk.standing?.reference, talk.standing?.ticket?.number].filter(Boolean).join(" · ");
  const url = URL.createObjectURL(new Blob([`${head}\n\n${lines.join("\n")}\n`], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${talk.standing?.reference ?? "conversation"}.txt`.replace("#", "");
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

