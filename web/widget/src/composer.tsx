// Where a message is written: text, files by button, drop and paste, emoji.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import type { Store } from "./store";
import type { Talk } from "./talk";
import { Attach, Chosen, type Uploads, useUploads } from "./uploads";
import { say } from "./words";

/** What the whole conversation gives to where a message is written: files that are dropped on it. */
export type Composing = Pick<Uploads, "most" | "add">;

export function Composer({ store, talk, handle }: { store: Store; talk: Talk; handle: { current: Composing | null } }) {
  const uploads = useUploads(store);
  const [Emoji, setEmoji] = useState<null | ((props: { pick: (emoji: string) => void }) => preact.JSX.Element)>(null);
  const [emojiOpen, setEmojiOpen] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const text = store.draft.value[talk.c] ?? "";
  const setText = (value: string): void => {
    store.draft.value = { ...store.draft.value, [talk.c]: value };
  };

  useEffect(() => {
    const box = area.current;
    if (!box) return;
    box.style.blockSize = "44px";
    box.style.blockSize = `${Math.min(140, box.scrollHeight)}px`;
  }, [text]);

  handle.current = uploads;

  const sendable = uploads.ready && (text.trim() !== "" || uploads.done.length > 0);
  const send = (event?: Event): void => {
    event?.preventDefault();
    if (!sendable) return;
    store.send(talk.c, text.trim(), uploads.done);
    setText("");
    uploads.clear();
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
      <Chosen uploads={uploads} />
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
          onPaste={uploads.paste}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
            if (event.key === "Escape" && emojiOpen) {
              event.stopPropagation();
              setEmojiOpen(false);
            }
          }}
        />
        {uploads.most > 0 && <Attach uploads={uploads} />}
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
