// One conversation as the browser has it: applies numbered entries in order, once each.
import { type Signal, signal } from "@preact/signals";
import type { Node } from "../../shared/tree";
import type { Action, Entry, FileShown, From, Standing, Summary } from "./protocol";

export interface Message {
  id: string;
  seq: number;
  at: number;
  from: From;
  name?: string;
  body?: Node[];
  text: string;
  actions: Action[];
  files: FileShown[];
  edited?: boolean;
  deleted?: boolean;
  reactions: { emoji: string; mine: boolean }[];
  mark?: string;
}

/** An own message that the server has not confirmed. */
export interface Waiting {
  id: string;
  text: string;
  files: FileShown[];
  at: number;
  reply_to?: string;
  context?: Record<string, string>;
  /** Why it will not be sent by itself. */
  failed?: string;
}

export interface Growing {
  from: From;
  name?: string;
  body?: Node[];
  until: number;
}

export class Talk {
  readonly version = signal(0);
  readonly growing: Signal<Growing | undefined> = signal(undefined);
  readonly waiting: Signal<Waiting[]> = signal([]);
  /** The own message that was sent and not confirmed. */
  underWay = "";
  readonly pressed = new Set<string>();
  messages: Message[] = [];
  seq = 0;
  read = 0;
  title = "";
  at = 0;
  words = "";
  standing: Standing | undefined;
  /** What the server said it has; more than `seq` while unread entries were not asked for. */
  last = 0;
  /** Entries that came before their turn. */
  private readonly early = new Map<number, Entry>();
  private fade: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly c: string) {}

  summary(summary: Summary): void {
    this.title = summary.title || this.title;
    this.read = Math.max(this.read, summary.read);
    this.last = Math.max(this.last, summary.seq);
    if (this.seq === 0) {
      this.standing = summary.standing ?? this.standing;
      this.words = summary.words;
      this.at = summary.at;
    }
    this.changed();
  }

  reset(): void {
    this.messages = [];
    this.seq = 0;
    this.early.clear();
    this.pressed.clear();
  }

  /** What was new of it. A gap is left alone: the entries between come, or are asked for. */
  take(entry: Entry): Entry[] {
    if (entry.seq <= this.seq) return [];
    this.early.set(entry.seq, entry);
    const taken: Entry[] = [];
    // After a reset the first one kept may have any number.
    let next = this.seq === 0 ? Math.min(...this.early.keys()) : this.seq + 1;
    for (let one = this.early.get(next); one; one = this.early.get(next)) {
      this.early.delete(next);
      this.seq = next;
      this.apply(one);
      taken.push(one);
      next += 1;
    }
    this.last = Math.max(this.last, this.seq);
    this.changed();
    return taken;
  }

  /** Whether something is missing between. */
  get gap(): boolean {
    return this.early.size > 0;
  }

  changed(): void {
    this.version.value += 1;
  }

  grow(growing: Growing, ms: number): void {
    clearTimeout(this.fade);
    this.growing.value = growing;
    // The server's hint holds for this long; dots never stay for ever.
    this.fade = setTimeout(() => (this.growing.value = undefined), ms);
  }

  unread(): number {
    const fresh = this.messages.filter((m) => m.seq > this.read && m.from !== "me" && !m.deleted).length;
    return fresh || (this.seq === 0 && this.last > this.read ? 1 : 0);
  }

  private find(id: string): Message | undefined {
    return this.messages.find((message) => message.id === id);
  }

  private apply(entry: Entry): void {
    this.at = entry.at;
    switch (entry.kind) {
      case "message": {
        if (entry.from !== "me") this.growing.value = undefined;
        this.words = entry.text || entry.files?.[0]?.name || this.words;
        const { id, seq, at, from, name, body, text } = entry;
        const message = { id, seq, at, from, name, body, text, actions: entry.actions ?? [], files: entry.files ?? [] };
        this.messages.push({ ...message, reactions: [] });
        const own = id.slice(id.indexOf(".") + 1);
        if (from === "me") this.waiting.value = this.waiting.value.filter((one) => one.id !== own);
        break;
      }
      case "edited": {
        const message = this.find(entry.id);
        if (message) Object.assign(message, { text: entry.text, body: entry.body, actions: entry.actions ?? [], edited: true });
        break;
      }
      case "deleted": {
        const message = this.find(entry.id);
        if (message) Object.assign(message, { deleted: true, text: "", body: undefined, files: [], actions: [] });
        break;
      }
      case "reacted": {
        const message = this.find(entry.id);
        if (message) {
          const { emoji, mine } = entry;
          const others = message.reactions.filter((one) => one.emoji !== emoji || one.mine !== mine);
          message.reactions = entry.on ? [...others, { emoji, mine }] : others;
        }
        break;
      }
      case "marked": {
        const message = this.find(entry.id);
        if (message) message.mark = entry.mark;
        break;
      }
      case "pressed":
        this.pressed.add(entry.id);
        break;
      case "standing": {
        const { t: _t, c: _c, seq: _s, at: _a, kind: _k, ...standing } = entry;
        this.standing = standing;
        this.title = standing.subject || this.title;
        this.growing.value = undefined;
        break;
      }
    }
  }
}
