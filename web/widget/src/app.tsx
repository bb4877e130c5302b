// The panel: its head, its views, and where the focus goes.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Composer, type Composing } from "./composer";
import { Ask, Leave } from "./forms";
import { Home, state } from "./home";
import { Icon } from "./icons";
import { Messages, save } from "./messages";
import type { Store } from "./store";
import type { Talk } from "./talk";
import { dropping } from "./uploads";
import { direction, locale, say } from "./words";

function Conversation({ store, talk }: { store: Store; talk: Talk }) {
  const scroller = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const counted = useRef(0);
  const [below, setBelow] = useState(false);
  const [over, setOver] = useState(false);
  const handle = useRef<Composing | null>(null);
  const version = talk.version.value;
  const count = talk.waiting.value.length;
  const growing = talk.growing.value;

  const toEnd = (): void => {
    const box = scroller.current;
    if (!box) return;
    box.scrollTop = box.scrollHeight;
    // A long answer is read from its beginning.
    const last = box.querySelector<HTMLElement>(".talk > li:last-child:not(.me)");
    if (last && last.offsetHeight > box.clientHeight - 24) box.scrollTop = last.offsetTop - box.offsetTop - 12;
  };
  useLayoutEffect(() => {
    if (atEnd.current) toEnd();
    else if (talk.seq > counted.current) setBelow(true);
    counted.current = talk.seq;
    store.look();
  }, [version, count, growing]);
  useLayoutEffect(() => {
    atEnd.current = true;
    toEnd();
  }, [talk.c]);

  return (
    <>
      <div
        class="body"
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label={talk.title || say("fresh")}
        onScroll={(event) => {
          const box = event.currentTarget;
          const last = box.querySelector<HTMLElement>(".talk > li:last-child");
          // Whoever sees where the last message begins is at the end.
          atEnd.current =
            box.scrollHeight - box.scrollTop - box.clientHeight < 60 ||
            (last !== null && last.offsetTop - box.offsetTop >= box.scrollTop && last.offsetTop - box.offsetTop < box.scrollTop + 80);
          if (atEnd.current) setBelow(false);
        }}
        {...dropping({ most: store.site.value?.limits.files ?? 0, add: (files) => handle.current?.add(files) }, setOver)}
      >
        <Messages store={store} talk={talk} />
        {below && (
          <button class="chip latest" type="button" onClick={() => (setBelow(false), (atEnd.current = true), toEnd())}>
            ↓ {say("latest")}
          </button>
        )}
        {over && <div class="drop">{say("drop")}</div>}
      </div>
      <footer>
        <Toast store={store} />
        <State store={store} talk={talk} />
        <Composer store={store} talk={talk} handle={handle} />
      </footer>
    </>
  );
}

/** Where the matter is; and the way to people, always in the same place. */
function State({ store, talk }: { store: Store; talk: Talk }) {
  talk.version.value;
  const standing = talk.standing;
  const place = standing?.state === "waiting" && standing.position ? say("position", String(standing.position)) : "";
  const helped = standing?.state === "waiting" || standing?.state === "human";
  if (standing?.state === "closed" && !standing.rating) {
    return (
      <div class="state wrap">
        <span id="rate">{say("rate")}</span>
        <div class="chips" role="group" aria-labelledby="rate">
          {FACES.map((face, at) => (
            <button
              class="icon"
              type="button"
              key={face}
              aria-label={`${at + 1}: ${say(`rate${at + 1}`)}`}
              title={say(`rate${at + 1}`)}
              onClick={() => store.press(talk.c, `rate:${at + 1}`)}
            >
              <span aria-hidden="true">{face}</span>
            </button>
          ))}
        </div>
        <Human store={store} talk={talk} disabled={false} />
      </div>
    );
  }
  return (
    <div class="state">
      <span>{[state(talk), place].filter(Boolean).join(" · ")}</span>
      <Human store={store} talk={talk} disabled={helped} />
    </div>
  );
}

const FACES = ["😞", "🙁", "😐", "🙂", "😀"];

function Human({ store, talk, disabled }: { store: Store; talk: Talk; disabled: boolean }) {
  return (
    <button class="chip" type="button" disabled={disabled} onClick={() => store.press(talk.c, "human")}>
      🙋 {say("human")}
    </button>
  );
}

function Toast({ store }: { store: Store }) {
  const text = store.toast.value;
  useEffect(() => {
    if (!text) return;
    const timer = setTimeout(() => (store.toast.value = ""), 6000);
    return () => clearTimeout(timer);
  }, [text]);
  return text ? (
    <div class="toast" role="alert">
      {text}
    </div>
  ) : null;
}

function Head({ store, talk }: { store: Store; talk: Talk | undefined }) {
  talk?.version.value;
  const site = store.site.value?.title ?? say("support");
  const home = store.view.value.at === "home";
  const facts = [talk?.standing?.reference, talk?.standing?.ticket && say("ticket", talk.standing.ticket.number)];
  return (
    <header>
      {!home && (
        <button class="icon" type="button" aria-label={say("back")} onClick={() => (store.view.value = { at: "home" })}>
          <Icon of="back" flip />
        </button>
      )}
      <div class="names">
        <h2 id="title">
          <bdi>{talk ? talk.title || say("fresh") : site}</bdi>
        </h2>
        {talk && <p>{facts.filter(Boolean).join(" · ") || site}</p>}
      </div>
      {talk && talk.messages.length > 0 && (
        <button class="icon" type="button" aria-label={say("transcript")} onClick={() => save(store, talk)}>
          <Icon of="save" />
        </button>
      )}
      <button class="icon" type="button" aria-label={say("close")} onClick={() => (store.open.value = false)}>
        <Icon of="close" />
      </button>
    </header>
  );
}

export function App({ store, theme }: { store: Store; theme: { value: string } }) {
  const panel = useRef<HTMLDivElement>(null);
  const open = store.open.value;
  const view = store.view.value;
  const talk = view.at === "talk" ? store.talk(view.c) : undefined;
  const connection = store.connection.value;
  // The page reads the other way: the panel keeps to the launcher's side of it.
  const turned = getComputedStyle(store.host.host).direction !== direction();

  // To where one writes when it opens or another view comes; back to the launcher when it closes.
  const was = useRef(false);
  useEffect(() => {
    if (open) panel.current?.querySelector<HTMLElement>("[data-first]")?.focus();
    else if (was.current) store.host.launcher.focus();
    was.current = open;
  }, [open, view.at, talk?.c]);
  useEffect(() => {
    if (open) store.look();
  }, [open, view]);

  return (
    <div
      ref={panel}
      id="panel"
      class="panel"
      role="dialog"
      aria-modal="false"
      aria-labelledby="title"
      hidden={!open}
      dir={direction()}
      data-turned={turned || undefined}
      lang={locale.value}
      data-theme={theme.value}
      onKeyDown={(event) => {
        if (event.key === "Escape") store.open.value = false;
      }}
    >
      <Head store={store} talk={talk} />
      {connection !== "online" && connection !== "connecting" && !store.blocked.value && (
        <div class="bar" role="status">
          {say(connection === "offline" ? "offline" : "reconnecting")}
        </div>
      )}
      {view.at === "home" && <Home key={store.person.value} store={store} />}
      {view.at === "ask" && <Ask store={store} then={view.then} />}
      {view.at === "leave" && <Leave store={store} />}
      {talk ? <Conversation key={talk.c} store={store} talk={talk} /> : <Toast store={store} />}
      <div class="hidden" role="log" aria-live="polite" aria-relevant="additions text">
        {store.spoken.value}
      </div>
    </div>
  );
}
