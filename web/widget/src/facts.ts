// What the page knows: told to technicians below a message, each fact once in a conversation, and again when it changes.
// Not here: the messages themselves.
import type { Told } from "./tabs";

type Known = Record<string, string>;

/** What one message may carry (docs/widget-protocol.md). */
const MOST = 20;
const MOST_EVENTS = 10;
const KEY = 120;
const VALUE = 600;
/** What was told and is not so any more. */
const GONE = "–";

/** At most so many bytes of UTF-8, which is what the server counts; no character is cut. */
function cut(text: string, bytes: number): string {
  const room = new Uint8Array(bytes);
  const { written } = new TextEncoder().encodeInto(text, room);
  return new TextDecoder().decode(room.subarray(0, written));
}

function put(into: Known, facts: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(facts)) into[cut(key, KEY)] = cut(String(value), VALUE);
}

export class Facts {
  private everywhere: Known = {};
  /** By conversation; those under "" are for the next one that begins. */
  private readonly here = new Map<string, Known>();
  private events: Known = {};
  private told: Told;

  constructor(private readonly keep: (told: Told) => void, told: Told) {
    this.told = told;
  }

  /** Holds in every conversation. */
  set(facts: Record<string, unknown>): void {
    put(this.everywhere, facts);
  }

  setHere(c: string, facts: Record<string, unknown>): void {
    const known = this.here.get(c) ?? {};
    put(known, facts);
    this.here.set(c, known);
  }

  unset(key: string): void {
    for (const known of [this.everywhere, ...this.here.values()]) delete known[cut(key, KEY)];
  }

  /** Something happened on the page. */
  track(name: string, props: Record<string, unknown>): void {
    const said = Object.entries(props).slice(0, 10).map(([key, value]) => `${key}=${String(value)}`).join(", ");
    const key = cut(`${new Date().toISOString().slice(11, 19)} ${name}`, KEY);
    this.events = Object.fromEntries([...Object.entries(this.events), [key, cut(said, VALUE) || "·"]].slice(-MOST_EVENTS));
  }

  /** The conversation that was only meant has begun. */
  begun(c: string): void {
    const meant = this.here.get("");
    if (meant) this.here.set(c, { ...meant, ...this.here.get(c) });
    this.here.delete("");
  }

  /** What the next message there carries; what finds no room in it comes with the one after. */
  next(c: string): Known | undefined {
    const now = { ...this.everywhere, ...this.here.get(c) };
    const told = (this.told[c] ??= {});
    const facts: Known = { ...this.events };
    this.events = {};
    for (const key of new Set([...Object.keys(now), ...Object.keys(told)])) {
      const value = now[key] ?? GONE;
      if (told[key] === value) continue;
      if (Object.keys(facts).length >= MOST) break;
      facts[key] = told[key] = value;
    }
    this.keep(this.told);
    return Object.keys(facts).length ? facts : undefined;
  }

  /** The next person is another one. */
  forget(): void {
    this.everywhere = {};
    this.here.clear();
    this.events = {};
    this.told = {};
  }
}
