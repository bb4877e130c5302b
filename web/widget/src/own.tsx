// What can be done with a message that was said: own words changed or taken back, a reaction to those of others.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Store } from "./store";
import type { Message, Talk } from "./talk";
import { say } from "./words";

const REACTIONS = ["👍", "❤️", "🎉", "👀", "👎"];

interface Props {
  store: Store;
  talk: Talk;
  message: Message;
}

export function Tools({ store, talk, message, edit }: Props & { edit: () => void }) {
  const [open, setOpen] = useState(false);
  const [sure, setSure] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  const close = (): void => {
    setOpen(false);
    setSure(false);
    root.current?.querySelector("button")?.focus();
  };
  useLayoutEffect(() => {
    if (open) root.current?.querySelector<HTMLElement>(".menu button")?.focus();
  }, [open, sure]);
  const escape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !open) return;
    // The panel stays.
    event.stopPropagation();
    close();
  };
  return (
    <span class="tools" ref={root} onKeyDown={escape}>
      <button class="more" type="button" aria-expanded={open} aria-label={say("more")} onClick={() => (open ? close() : setOpen(true))}>
        ⋯
      </button>
      {open && (
        <span class="menu" role="group" aria-label={say("more")}>
          {message.from === "me" ? (
            sure ? (
              <>
                <button class="text bad" type="button" onClick={() => store.erase(talk.c, message.id)}>
                  {say("sure")}
                </button>
                <button class="text" type="button" onClick={close}>
                  {say("cancel")}
                </button>
              </>
            ) : (
              <>
                {message.text !== "" && (
                  <button class="text" type="button" onClick={edit}>
                    {say("edit")}
                  </button>
                )}
                <button class="text" type="button" onClick={() => setSure(true)}>
                  {say("erase")}
                </button>
              </>
            )
          ) : (
            REACTIONS.map((emoji) => {
              const mine = message.reactions.some((one) => one.mine && one.emoji === emoji);
              return (
                <button
                  class="pick"
                  type="button"
                  key={emoji}
                  aria-pressed={mine}
                  aria-label={say("react", emoji)}
                  onClick={() => (store.react(talk.c, message.id, emoji, !mine), close())}
                >
                  {emoji}
                </button>
              );
            })
          )}
        </span>
      )}
    </span>
  );
}

export function Edit({ store, talk, message, done }: Props & { done: () => void }) {
  const [text, setText] = useState(message.text);
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const box = area.current;
    box?.focus();
    box?.setSelectionRange(text.length, text.length);
  }, []);
  useLayoutEffect(() => {
    const box = area.current;
    if (box) box.style.blockSize = `${Math.min(140, Math.max(44, box.scrollHeight))}px`;
  }, [text]);
  const leave = (): void => {
    done();
    store.refocus();
  };
  const save = (event?: Event): void => {
    event?.preventDefault();
    const wanted = text.trim();
    if (wanted && (wanted === message.text || store.edit(talk.c, message.id, wanted))) leave();
  };
  return (
    <form class="rewrite" onSubmit={save}>
      <div class="field">
        <textarea
          ref={area}
          dir="auto"
          aria-label={say("edit")}
          maxLength={store.site.value?.limits.text ?? 8000}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) save(event);
            if (event.key === "Escape") {
              event.stopPropagation();
              leave();
            }
          }}
        />
      </div>
      <span class="meta">
        <button class="text" type="button" onClick={leave}>
          {say("cancel")}
        </button>
        <button class="text" type="submit" disabled={!text.trim()}>
          {say("save")}
        </button>
      </span>
    </form>
  );
}
