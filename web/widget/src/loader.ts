// The launcher, and the API before anything else is there. Loads nothing until somebody means to use it.
import type { Context, Panel } from "./context";

type Call = [string, unknown[], ((value: unknown) => void)?, ((why: unknown) => void)?];
type Listener = (detail: unknown) => void;

// By another name, or the bundler takes addresses for files of its own.
const own = import.meta.url;

const script =
  [...document.querySelectorAll<HTMLScriptElement>("script[data-key]")].find((s) => s.src === own) ??
  document.querySelector<HTMLScriptElement>("script[data-key]");

const LABELS: Record<string, [string, string]> = {
  en: ["Open support chat", "unread"],
  de: ["Support-Chat öffnen", "ungelesen"],
  es: ["Abrir el chat de soporte", "sin leer"],
  fr: ["Ouvrir le chat d’assistance", "non lus"],
  ar: ["فتح محادثة الدعم", "غير مقروءة"],
};

const CSS = `:host{all:initial;position:fixed;z-index:2147483000;inset-block-end:20px;inset-inline-end:20px;font:15px/1.45 system-ui,sans-serif;color-scheme:light dark}
:host([data-side=left]){inset-inline:20px auto}:host([hidden]){display:none}
button.launcher{all:unset;box-sizing:border-box;position:relative;display:grid;place-items:center;inline-size:56px;block-size:56px;border-radius:50%;background:var(--brand);color:var(--on-brand);cursor:pointer;box-shadow:0 4px 14px #0005}
button.launcher:focus-visible{outline:3px solid #fff;box-shadow:0 0 0 6px #0b57d0}
button.launcher svg{inline-size:26px;block-size:26px}
.badge{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-inline-size:22px;box-sizing:border-box;padding-inline:6px;border-radius:11px;background:#b3261e;color:#fff;font:600 13px/22px system-ui,sans-serif;text-align:center}
@media (forced-colors:active){button.launcher{border:2px solid ButtonText}}`;

// White or black, whichever is read more easily on the colour (WCAG relative luminance).
function onColor(hex: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

function start(script: HTMLScriptElement): void {
  const option = script.dataset;
  const key = option.key ?? "";
  const host = document.createElement("deskbridge-widget");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];
  host.dataset.side = option.side === "left" ? "left" : "right";
  host.hidden = option.launcher === "hidden";

  const launcher = document.createElement("button");
  launcher.className = "launcher";
  launcher.type = "button";
  launcher.setAttribute("aria-expanded", "false");
  launcher.setAttribute("aria-controls", "panel");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("fill", "currentColor");
  path.setAttribute("d", "M4 4h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-8l-5 4v-4H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z");
  svg.append(path);
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.hidden = true;
  badge.setAttribute("aria-hidden", "true");
  launcher.append(svg, badge);
  root.append(launcher);

  const listeners = new Map<string, Set<Listener>>();
  let panel: Promise<Panel> | undefined;

  const context: Context = {
    key,
    root,
    host,
    launcher,
    options: { locale: option.locale, theme: option.theme, color: option.color },
    api: new URL(`../v1/${encodeURIComponent(key)}/`, own).href,
    files: new URL("./", own).href,
    emit(event, detail) {
      for (const listener of listeners.get(event) ?? []) {
        try {
          listener(detail);
        } catch (error) {
          console.error(error);
        }
      }
      dispatchEvent(new CustomEvent(`deskbridge:${event}`, { detail }));
    },
    unread(count) {
      badge.hidden = count === 0;
      badge.textContent = count > 99 ? "99+" : String(count);
      label(count);
    },
    color(hex) {
      if (!/^#[0-9a-f]{6}$/i.test(hex)) return;
      host.style.setProperty("--brand", hex);
      host.style.setProperty("--on-brand", onColor(hex));
    },
    gone: () => {
      host.remove();
      delete (window as { $deskbridge?: unknown }).$deskbridge;
    },
  };

  function label(count: number): void {
    const language = (context.options.locale ?? document.documentElement.lang ?? navigator.language).slice(0, 2);
    const [open, unread] = LABELS[language] ?? LABELS.en!;
    launcher.setAttribute("aria-label", count ? `${open}, ${count} ${unread}` : open);
  }
  label(0);
  context.color(option.color ?? "#1f5fbf");

  const load = (): Promise<Panel> =>
    (panel ??= import(/* @vite-ignore */ `${context.files}panel.js`).then(
      (module: { mount(context: Context): Panel }) => module.mount(context),
    ));
  panel = undefined;
  // The code comes while the pointer is still on its way; nothing is asked of the server before it is pressed.
  const near = (): void => void load().catch(() => (panel = undefined));
  launcher.addEventListener("pointerenter", near, { once: true });
  launcher.addEventListener("focus", near, { once: true });
  launcher.addEventListener("click", () => void call("toggle", []).catch(console.error));

  const call = async (name: string, args: unknown[]): Promise<unknown> => {
    if (name === "on") {
      const [event, listener] = args as [string, Listener];
      const all = listeners.get(event) ?? new Set();
      listeners.set(event, all.add(listener));
      return () => void all.delete(listener);
    }
    if (name === "show" || name === "hide") {
      host.hidden = name === "hide";
      return;
    }
    return (await load()).call(name, args);
  };
  const api = new Proxy({} as Record<string, unknown>, {
    get: (_, name) => {
      if (typeof name !== "string" || name === "then") return undefined;
      return name === "on"
        ? (event: string, listener: Listener) => {
            const all = listeners.get(event) ?? new Set();
            listeners.set(event, all.add(listener));
            return () => void all.delete(listener);
          }
        : (...args: unknown[]) => call(name, args);
    },
  });

  const before = (window as { $deskbridge?: { q?: Call[] } }).$deskbridge?.q ?? [];
  (window as { $deskbridge?: unknown }).$deskbridge = api;
  document.body.append(host);
  for (const [name, args, resolve, reject] of before) {
    void call(name, [...args]).then(resolve, reject ?? console.error);
  }
  // The address of a request: `ticket:created` says it.
  const wanted = new URLSearchParams(location.hash.slice(1)).get("deskbridge");
  if (wanted) void call("follow", [wanted]).catch(console.error);
  // Somebody talked here before: what is answered meanwhile shows at once.
  try {
    if (sessionStorage.getItem(`deskbridge:${key}`)) {
      (window.requestIdleCallback ?? setTimeout)(() => void load().then((panel) => panel.call("wake", [])).catch(() => {}));
    }
  } catch {
    // Storage may be forbidden; then every page begins anew.
  }
  // Names of another widget for ours; not needed by most.
  if (option.compat) void import(/* @vite-ignore */ `${context.files}compat.js`);
  context.emit("ready", {});
}

if (script && !document.querySelector("deskbridge-widget")) {
  if (document.body) start(script);
  else addEventListener("DOMContentLoaded", () => start(script), { once: true });
}
