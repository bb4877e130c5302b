// For pages that were made for Chatwoot: its names, done by ours. Loaded by the loader where `data-compat="chatwoot"` says
// so, or in place of Chatwoot's own script. A classic script as well: nothing is imported or exported here.
(() => {
  type Any = Record<string, unknown>;
  const page = window as unknown as {
    $deskbridge?: Record<string, (...args: unknown[]) => unknown>;
    $chatwoot?: Any;
    chatwootSDK?: Any;
    chatwootSettings?: Any;
  };
  if (page.chatwootSDK) return;
  const own = (document.currentScript as HTMLScriptElement | null)?.src;
  const settings = (page.chatwootSettings ??= {});
  const text = (name: string): string | undefined => (typeof settings[name] === "string" ? (settings[name] as string) : undefined);
  const call = (name: string, ...args: unknown[]): unknown => page.$deskbridge?.[name]?.(...args);
  const tell = (name: string, detail?: unknown): boolean => dispatchEvent(new CustomEvent(`chatwoot:${name}`, { detail }));
  const heard = (name: string, act: (detail: Any) => void): void =>
    addEventListener(`deskbridge:${name}`, (event) => act((event as CustomEvent<Any>).detail));

  const chatwoot: Any = {
    baseUrl: "",
    websiteToken: "",
    hasLoaded: false,
    isOpen: false,
    toggle: (to?: string) => call(to === "open" || to === "close" ? to : "toggle"),
    toggleBubbleVisibility: (to: string) => call(to === "hide" ? "hide" : "show"),
    popoutChatWindow: () => call("open"),
    setUser: (id: unknown, facts: Any = {}) => call("setUser", String(id), facts),
    setCustomAttributes: (facts: Any) => call("setContext", facts),
    deleteCustomAttribute: (key: string) => call("unsetContext", key),
    setConversationCustomAttributes: (facts: Any) => call("setConversationContext", facts),
    deleteConversationCustomAttribute: (key: string) => call("unsetContext", key),
    setLabel: (label: string) => call("addTag", label),
    removeLabel: (label: string) => call("removeTag", label),
    setLocale: (locale = "en") => call("setLocale", String(locale).replace("_", "-")),
    setColorScheme: (scheme = "light") => call("setTheme", scheme),
    reset: () => call("logout"),
  };

  heard("open", () => {
    chatwoot.isOpen = true;
    tell("opened");
  });
  heard("close", () => {
    chatwoot.isOpen = false;
    tell("closed");
  });
  heard("message:received", (detail) => tell("on-message", { content: detail.text, message_type: 1, conversation_id: detail.conversation }));
  heard("error", (detail) => tell("error", detail));

  function ready(): void {
    if (chatwoot.hasLoaded) return;
    chatwoot.hasLoaded = true;
    page.$chatwoot = chatwoot;
    if (settings.hideMessageBubble === true) call("hide");
    tell("ready");
  }

  /** Puts our script on the page, unless it is there. */
  function load(key: string, base: string): void {
    if (document.querySelector("deskbridge-widget, script[data-key]")) return;
    const script = document.createElement("script");
    script.type = "module";
    const theme = text("darkMode");
    const options = { key, side: text("position"), locale: text("locale")?.replace("_", "-"), theme };
    for (const [name, value] of Object.entries(options)) if (value) script.dataset[name] = value;
    script.src = new URL("/widget/v1/deskbridge.js", base || own).href;
    document.head.append(script);
  }

  page.chatwootSDK = {
    run({ websiteToken = "", baseUrl = "" }: { websiteToken?: string; baseUrl?: string } = {}) {
      Object.assign(chatwoot, { websiteToken, baseUrl });
      load(websiteToken, baseUrl);
    },
  };
  if (document.querySelector("deskbridge-widget")) ready();
  else heard("ready", ready);
})();
