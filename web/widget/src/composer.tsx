// Where a message is written: text, files by button, drop and paste, emoji.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import type { FileShown } from "./protocol";
import type { Store } from "./store";
import type { Talk } from "./talk";
import { say } from "./words";

interface Chosen {
  key: number;
  name: string;
  done?: FileShown;
  failed?: string;
}

let keys = 0;

export interface Composing {
  add(files: FileList | File[] | null | undefined): void;
}

export function Composer({ store, talk, handle }: { store: Store; talk: Talk; handle: { current: Composing | null } }) {
  const [files, setFiles] = useState<Chosen[]>([]);
  const [Emoji, setEmoji] = useState<null | ((props: { pick: (emoji: string) => void }) => preact.JSX.Element)>(null);
  const [emojiOpen, setEmojiOpen] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const text = store.draft.value[talk.c] ?? "";
  const setText = (value: string): void => {
    store.draft.value = { ...store.draft.value, [talk.c]: value };
  };
  const most = store.site.value?.limits.files ?? 0;

  useEffect(() => {
    const box = area.current;
    if (!box) return;
    box.style.blockSize = "44px";
    box.style.blockSize = `${Math.min(140, box.scrollHeight)}px`;
  }, [text]);

  const add = (list: FileList | File[] | null | undefined): void => {
    for (const file of [...(list ?? [])].slice(0, most)) {
      const chosen: Chosen = { key: ++keys, name: file.name || "image.png" };
      setFiles((all) => [...all, chosen].slice(-most));
      const change = (facts: Partial<Chosen>): void =>
        setFiles((all) => all.map((one) => (one.key === chosen.key ? { ...one, ...facts } : one)));
      store.upload(file).then(
        (done) => change({ done }),
        (error: Error) => {
          change({ failed: error.message });
          store.toast.value = error.message;
        },
      );
    }
  };
  handle.current = { add };

  const ready = files.every((file) => file.done || file.failed);
  const sendable = ready && (text.trim() !== "" || files.some((file) => file.done));
  const send = (event?: Event): void => {
    event?.preventDefault();
    if (!sendable) return;
    store.send(talk.c, text.trim(), files.flatMap((file) => file.done ?? []));
    setText("");
    setFiles([]);
    setEmojiOpen(false);
    area.current?.focus();
  };
  const openEmoji = async (): Promise<void> => {
    if (!Emoji) {
      const module = await import("./emoji");
      setEmoji(() => module.Emoji);
    }
    setEmojiOpen(!emojiOpen);
  };
  const insert = (emoji: string): void => {
    const box = area.current;
    const at = box?.selectionStart ?? text.length;
    setText(text.slice(0, at) + emoji + text.slice(box?.selectionEnd ?? at));
    setEmojiOpen(false);
    box?.focus();
  };

  return (
    <>
      {emojiOpen && Emoji && <Emoji pick={insert} />}
      {files.length > 0 && (
        <div class="files">
          {files.map((file) => (
            <span class={`file${file.failed ? " bad" : ""}`} key={file.key} title={file.failed}>
              <span dir="auto">{file.name}</span>
              {!file.done && !file.failed && <span role="status">{say("sending")}</span>}
              <button
                class="icon"
                type="button"
                aria-label={say("remove", file.name)}
                onClick={() => setFiles(files.filter((one) => one !== file))}
              >
                <Icon of="close" />
              </button>
            </span>
          ))}
        </div>
      )}
      <form class="field" onSubmit={send}>
        <textarea
          ref={area}
          rows={1}
          data-first
          dir={text ? "auto" : undefined}
          aria-label={say("message")}
          placeholder={say("message")}
          maxLength={store.site.value?.limits.text ?? 8000}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            store.typing(talk.c);
          }}
          onPaste={(event) => {
            if (event.clipboardData?.files.length) {
              event.preventDefault();
              add(event.clipboardData.files);
            }
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
            if (event.key === "Escape" && emojiOpen) {
              event.stopPropagation();
              setEmojiOpen(false);
            }
          }}
        />
        {most > 0 && (
          <>
            <input
              ref={picker}
              type="file"
              multiple
              hidden
              onChange={(event) => {
                add(event.currentTarget.files);
                event.currentTarget.value = "";
              }}
            />
            <button class="icon" type="button" aria-label={say("attach")} onClick={() => picker.current?.click()}>
              <Icon of="clip" />
            </button>
          </>
        )}
        <button class="icon" type="button" aria-label={say("emoji")} aria-expanded={emojiOpen} onClick={openEmoji}>
          <Icon of="smile" />
        </button>
        <button class="icon send" type="submit" aria-label={say("send")} disabled={!sendable}>
          <Icon of="send" flip />
        </button>
      </form>
    </>
  );
}
