// Tabs of one browser share a session: by word of mouth, because what is stored is stored per tab.
import type { Waiting } from "./talk";

type Word = { k: "who" } | { k: "token"; token: string } | { k: "logout" };
export type Queued = [c: string, title: string, waiting: Waiting[]];
/** What a page's facts were when they were last told, by conversation. */
export type Told = Record<string, Record<string, string>>;

const PATIENCE = 250;

export class Tabs {
  private readonly channel: BroadcastChannel | undefined;
  private readonly name: string;
  private heard: ((token: string) => void) | undefined;

  constructor(key: string, token: () => string | undefined, adopt: (token: string) => void, logout: () => void) {
    this.name = `deskbridge:${key}`;
    if (typeof BroadcastChannel === "undefined") return;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }: MessageEvent<Word>) => {
      if (data.k === "who") {
        const known = token();
        if (known) this.channel?.postMessage({ k: "token", token: known } satisfies Word);
      } else if (data.k === "token") {
        if (this.heard) this.heard(data.token);
        else if (token()) adopt(data.token);
      } else logout();
    };
  }

  /** The session of another tab, where there is one. */
  ask(): Promise<string | undefined> {
    if (!this.channel) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const done = (token?: string): void => {
        this.heard = undefined;
        resolve(token);
      };
      this.heard = done;
      setTimeout(done, PATIENCE);
      this.channel?.postMessage({ k: "who" } satisfies Word);
    });
  }

  stored(): string | undefined {
    return this.get("") ?? undefined;
  }

  /** In this tab, and told to the others. */
  keep(token: string): void {
    const known = this.get("");
    this.put("", token);
    if (known !== token) this.channel?.postMessage({ k: "token", token } satisfies Word);
  }

  dropToken(): void {
    this.put("", null);
  }

  drop(): void {
    for (const part of ["", ":queue", ":told"]) this.put(part, null);
  }

  tellLogout(): void {
    this.channel?.postMessage({ k: "logout" } satisfies Word);
  }

  queue(waiting: Queued[]): void {
    this.put(":queue", waiting.length ? JSON.stringify(waiting) : null);
  }

  queued(): Queued[] {
    return this.read(":queue", []);
  }

  keepTold(told: Told): void {
    this.put(":told", JSON.stringify(told));
  }

  told(): Told {
    return this.read(":told", {});
  }

  private read<T>(part: string, otherwise: T): T {
    try {
      return (JSON.parse(this.get(part) ?? "null") as T | null) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  close(): void {
    this.channel?.close();
  }

  // Storage may be forbidden; then a reload begins anew.
  private get(part: string): string | null {
    try {
      return sessionStorage.getItem(this.name + part);
    } catch {
      return null;
    }
  }

  private put(part: string, value: string | null): void {
    try {
      if (value === null) sessionStorage.removeItem(this.name + part);
      else sessionStorage.setItem(this.name + part, value);
    } catch {
      // Nothing to be done, and nothing lost but the reload.
    }
  }
}
