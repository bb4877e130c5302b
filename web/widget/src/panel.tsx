// What the loader imports when somebody means it: puts the panel beside the launcher, and answers the page's calls.
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { App } from "./app";
import type { Context, Panel } from "./context";
import { Store } from "./store";
import { CSS } from "./style";
import { say, speak } from "./words";

export async function mount(host: Context): Promise<Panel> {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  host.root.adoptedStyleSheets = [...host.root.adoptedStyleSheets, sheet];
  await speak(host.options.locale ?? (document.documentElement.lang || navigator.language));
  const store = new Store(host);
  store.say = say;

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const wanted = signal(host.options.theme ?? "auto");
  const theme = signal("light");
  const paint = (): void => {
    theme.value = wanted.value === "auto" ? (dark.matches ? "dark" : "light") : wanted.value;
  };
  dark.addEventListener("change", paint);
  effect(paint);

  const place = document.createElement("div");
  host.root.append(place);
  render(<App store={store} theme={theme} />, place);

  let before = false;
  effect(() => {
    const open = store.open.value;
    host.launcher.setAttribute("aria-expanded", String(open));
    host.host.toggleAttribute("data-open", open);
    if (open) store.link.start();
    if (open !== before) host.emit(open ? "open" : "close", {});
    before = open;
  });

  const open = (view?: unknown): void => {
    if (view === "home") store.view.value = { at: "home" };
    store.open.value = true;
  };
  const ready = async (): Promise<void> => void (await store.session());

  const calls: Record<string, (...args: never[]) => unknown> = {
    open,
    close: () => (store.open.value = false),
    toggle: () => (store.open.value ? (store.open.value = false) : open()),
    wake: () => store.link.start(),
    identify: ({ token }: { token: () => string | Promise<string> }) => store.identify(token),
    setUser: (id: string, facts: Record<string, unknown> = {}) => store.setUser(id, facts),
    logout: () => store.logout(),
    setContext: (facts: Record<string, unknown>) => store.facts.set(facts),
    setConversationContext: (facts: Record<string, unknown>) => store.setConversationContext(facts),
    unsetContext: (key: string) => store.facts.unset(String(key)),
    addTag: (tag: string) => store.tag(tag, true),
    removeTag: (tag: string) => store.tag(tag, false),
    track: (name: string, props: Record<string, unknown> = {}) => store.facts.track(String(name), props),
    newConversation: async ({ topic = "" }: { topic?: string } = {}) => {
      await ready();
      open();
      store.start(topic);
    },
    openRequest: async (id: string) => {
      await ready();
      const found = store.request(String(id));
      if (!found) throw new Error(`no request ${id}`);
      open();
      store.show(found.c);
    },
    send: async (text: string, { draft = false }: { draft?: boolean } = {}) => {
      await ready();
      if (draft) open();
      store.within((c) => {
        if (draft) store.draft.value = { ...store.draft.value, [c]: String(text) };
        else store.send(c, String(text));
      });
    },
    attachment: async (file: File) => {
      await ready();
      const uploaded = await store.upload(file);
      store.within((c) => store.send(c, "", [uploaded]));
    },
    // The address of a request, which may be theirs only when the page has said who they are.
    follow: async (id: string) => {
      store.linked = id;
      await ready();
      store.follow();
    },
    setLocale: async (locale: string) => {
      host.options.locale = locale;
      await speak(locale);
      host.unread(store.unread.value);
    },
    setTheme: (name: string) => {
      if (["auto", "light", "dark"].includes(name)) wanted.value = name;
    },
    destroy: () => {
      store.end();
      render(null, place);
      host.gone();
    },
  };

  return {
    async call(name, args) {
      const known = calls[name];
      if (!known) throw new TypeError(`$deskbridge.${name} is not a function`);
      return known(...(args as never[]));
    },
  };
}
