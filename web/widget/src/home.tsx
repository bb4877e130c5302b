// The first view: ask at once, or go on with a request.
import { useState } from "preact/hooks";
import { Icon } from "./icons";
import type { Store } from "./store";
import type { Talk } from "./talk";
import { locale, say } from "./words";

export function state(talk: Talk): string {
  const standing = talk.standing;
  switch (standing?.state) {
    case "waiting":
      return say("waiting");
    case "human":
      return say("with", standing.technician ?? say("support"));
    case "closed":
      return say("resolved");
    default:
      return say("ai");
  }
}

function Row({ store, talk }: { store: Store; talk: Talk }) {
  talk.version.value;
  const unread = talk.unread();
  const number = talk.standing?.ticket ? say("ticket", talk.standing.ticket.number) : talk.standing?.reference;
  return (
    <li>
      <button class="row" type="button" onClick={() => store.show(talk.c)}>
        <b>{talk.title || say("fresh")}</b>
        {unread > 0 && (
          <span class="dot">
            <span aria-hidden="true">{unread}</span>
            <span class="hidden">{say("unread", String(unread))}</span>
          </span>
        )}
        <small>{[number, state(talk), when(talk.at)].filter(Boolean).join(" · ")}</small>
      </button>
    </li>
  );
}

export function when(at: number): string {
  if (!at) return "";
  const day = new Date(at).toDateString() === new Date().toDateString();
  const format: Intl.DateTimeFormatOptions = day ? { timeStyle: "short" } : { dateStyle: "medium" };
  return new Intl.DateTimeFormat(locale.value, format).format(at);
}

export function There({ store }: { store: Store }) {
  const hours = store.site.value?.hours;
  if (!hours?.open || !hours.online) return null;
  const minutes = hours.wait ? say("wait", say("minutes", String(Math.max(1, Math.round(hours.wait / 60))))) : "";
  return (
    <p class="there">
      <i aria-hidden="true" />
      {[say("online", String(hours.online)), minutes].filter(Boolean).join(" · ")}
    </p>
  );
}

export function Home({ store }: { store: Store }) {
  const [text, setText] = useState("");
  const site = store.site.value;
  const ask = (event: Event): void => {
    event.preventDefault();
    if (text.trim()) store.start(text.trim());
  };
  const name = store.me.value?.name;
  return (
    <div class="body">
      <p class="hello">{site?.greeting ?? (name ? say("hello").replace("!", ` ${name}!`) : say("hello"))}</p>
      {store.blocked.value ? (
        <p role="alert">{say(store.blocked.value === "sign-in" ? "signIn" : "notAllowed")}</p>
      ) : (
        <>
          <form class="field" onSubmit={ask}>
            <textarea
              rows={1}
              data-first
              aria-label={say("ask")}
              placeholder={say("ask")}
              maxLength={site?.limits.text ?? 8000}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter" && !event.shiftKey && !event.isComposing) ask(event);
              }}
            />
            <button class="icon send" type="submit" aria-label={say("send")} disabled={!text.trim()}>
              <Icon of="send" flip />
            </button>
          </form>
          {site && !site.hours.open && (
            <>
              <p class="bar">{say("closed", site.hours.back ?? "")}</p>
              <button class="chip" type="button" onClick={() => (store.view.value = { at: "leave" })}>
                {say("leave")}
              </button>
            </>
          )}
          <div class="chips">
            {site?.topics.map((topic) => (
              <button class="chip" type="button" key={topic} onClick={() => store.start(topic)}>
                {topic}
              </button>
            ))}
            <button class="chip" type="button" onClick={() => store.start("", "human")}>
              🙋 {say("human")}
            </button>
          </div>
        </>
      )}
      {store.talks.value.length > 0 && (
        <>
          <h3 id="mine">{say("mine")}</h3>
          <ul class="list" aria-labelledby="mine">
            {store.talks.value.map((talk) => (
              <Row key={talk.c} store={store} talk={talk} />
            ))}
          </ul>
        </>
      )}
      <There store={store} />
    </div>
  );
}
