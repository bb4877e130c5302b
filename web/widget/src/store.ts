// Everything the widget knows, and everything it can do. The components only show it.
import { computed, signal } from "@preact/signals";
import type { Context } from "./context";
import { Facts } from "./facts";
import { type Connection, Link, Refused } from "./link";
import { type Begun, type ClientFrame, clientId, type Entry, type FileShown, type ServerFrame, type Site, type Standing, uuid } from "./protocol";
import { Talk, type Waiting } from "./talk";
import { Tabs } from "./tabs";

export type View =
  | { at: "home" }
  | { at: "talk"; c: string; fresh?: boolean }
  /** Who are you? Then what was meant. */
  | { at: "ask"; then: () => void }
  /** Nobody is there: leave a request. */
  | { at: "leave" };

const helped = (standing: Standing | undefined): boolean => standing?.state === "waiting" || standing?.state === "human";

const IDLE: Record<string, string> = { assistant: "ai", waiting: "waiting", human: "human", closed: "resolved" };

export class Store {
  readonly open = signal(false);
  readonly view = signal<View>({ at: "home" });
  readonly connection = signal<Connection>("connecting");
  readonly site = signal<Site | undefined>(undefined);
  readonly me = signal<Begun["me"] | undefined>(undefined);
  readonly talks = signal<Talk[]>([]);
  /** A word for the person: refused, too large. */
  readonly toast = signal("");
  /** Read out by screen readers: only what is new. */
  readonly spoken = signal("");
  readonly draft = signal<Record<string, string>>({});
  readonly blocked = signal<"" | "not-allowed" | "sign-in">("");
  readonly unread = computed(() => this.talks.value.reduce((sum, talk) => (talk.version.value, sum + talk.unread()), 0));
  readonly link: Link;
  private readonly tabs: Tabs;
  private token: string | undefined;
  private vouch: (() => string | Promise<string>) | undefined;
  private user: Record<string, unknown> | undefined;
  private beginning: Promise<string> | undefined;
  readonly facts: Facts;
  /** What the page gave while somebody was still being asked who they are. */
  private later: ((c: string) => void)[] = [];
  /** Counts people: what was begun for one is nothing to the next. */
  readonly person = signal(0);
  /** What somebody said of themselves while nobody was there to hear it. */
  private owed: { name?: string; email?: string } | undefined;
  /** The last word of the `status` event. */
  private status = "";
  /** Tags for a conversation that has not begun. */
  private readonly tags = new Map<string, boolean>();
  private typed = 0;
  say: (key: string, name?: string) => string = (key) => key;

  constructor(readonly host: Context) {
    this.link = new Link({
      api: host.api,
      probe: `${host.files}queue.js`,
      token: () => this.session(),
      cursors: () => Object.fromEntries(this.talks.value.slice(0, 50).map((talk) => [talk.c, talk.seq])),
      frame: (frame) => this.heard(frame),
      state: (state) => {
        if (this.connection.value === state) return;
        this.connection.value = state;
        host.emit("connection", state);
      },
      ended: () => this.ended(),
    });
    this.tabs = new Tabs(host.key, () => this.token, (token) => this.adopt(token), () => void this.forget());
    this.token = this.tabs.stored();
    this.facts = new Facts((told) => this.tabs.keepTold(told), this.tabs.told());
  }

  // --- session ---

  /** The token; begins a session where there is none. One at a time, whoever asks. */
  session(): Promise<string> {
    if (this.token && this.site.value) return Promise.resolve(this.token);
    if (this.beginning) return this.beginning;
    const beginning = this.begin().finally(() => {
      if (this.beginning === beginning) this.beginning = undefined;
    });
    return (this.beginning = beginning);
  }

  private async begin(): Promise<string> {
    const person = this.person.value;
    this.token ??= await this.tabs.ask();
    const language = this.host.options.locale ?? navigator.language;
    const wanted: Record<string, unknown> = { token: this.token, language };
    if (this.vouch && !(this.token && this.me.value?.verified)) wanted.jwt = await this.vouch();
    else if (this.user && !this.me.value?.verified) wanted.user = this.user;
    try {
      const begun = await this.link.begin(wanted);
      // Whoever it was for has left meanwhile.
      if (this.person.value !== person) throw new Error("logged out");
      this.begun(begun);
      return begun.token;
    } catch (error) {
      if (error instanceof Refused && this.person.value === person) {
        if (error.status === 403) this.blocked.value = "not-allowed";
        if (error.code === "not-vouched") this.blocked.value = "sign-in";
        this.host.emit("error", { code: error.code, detail: error.message, status: error.status });
      }
      throw error;
    }
  }

  private begun(begun: Begun): void {
    this.token = begun.token;
    this.tabs.keep(begun.token);
    this.blocked.value = begun.site.verifiedOnly && !begun.me.verified ? "sign-in" : "";
    this.site.value = begun.site;
    this.me.value = begun.me;
    this.host.color(this.host.options.color ?? begun.site.color);
    const known = new Set(begun.conversations.map((summary) => summary.c));
    this.talks.value = this.talks.value.filter((talk) => known.has(talk.c) || talk.waiting.value.length > 0);
    for (const summary of begun.conversations) this.talk(summary.c).summary(summary);
    this.restore();
    this.order();
    this.count();
    this.follow();
    if (!begun.site.hours.open && !this.talks.value.some((talk) => helped(talk.standing))) this.tellStatus("offline");
  }

  private tellStatus(status: string): void {
    if (this.status === status) return;
    this.status = status;
    this.host.emit("status", status);
  }

  private adopt(token: string): void {
    if (token === this.token) return;
    this.token = token;
    this.site.value = undefined;
    this.link.again();
  }

  private ended(): void {
    // A person whose page vouches comes back by its word; somebody unknown begins anew.
    this.token = undefined;
    if (this.me.value) this.me.value = { ...this.me.value, verified: false };
    this.site.value = undefined;
    this.tabs.dropToken();
    this.link.again();
  }

  async identify(vouch: () => string | Promise<string>): Promise<void> {
    this.vouch = vouch;
    await this.reidentify();
  }

  async setUser(id: string, facts: Record<string, unknown>): Promise<void> {
    this.user = { id, hash: facts.identifier_hash, name: facts.name, email: facts.email };
    await this.reidentify();
  }

  private async reidentify(): Promise<void> {
    // A session that is just being opened was asked for without this word.
    await this.beginning?.catch(() => undefined);
    this.site.value = undefined;
    if (this.me.value) this.me.value = { ...this.me.value, verified: false };
    await this.session();
    this.link.again();
  }

  async logout(): Promise<void> {
    const { token } = this;
    // Nobody waits for a server that is away; what is here goes whatever it says.
    if (token && !this.link.send({ t: "logout" })) void this.link.leave(token);
    this.tabs.tellLogout();
    await this.forget();
  }

  /** Nothing of one person is left to the next: neither on the screen, nor in what is sent. */
  private async forget(): Promise<void> {
    this.person.value += 1;
    this.link.stop();
    this.tabs.drop();
    this.token = this.vouch = this.user = this.beginning = this.owed = undefined;
    this.site.value = this.me.value = undefined;
    this.talks.value = [];
    this.draft.value = {};
    this.facts.forget();
    this.seen.clear();
    this.tags.clear();
    this.later = [];
    this.toast.value = this.spoken.value = this.blocked.value = this.status = "";
    this.view.value = { at: "home" };
    this.count();
    if (this.open.value) this.link.start();
  }

  /** Takes everything off that would go on without the widget. */
  end(): void {
    this.link.stop();
    this.tabs.close();
    clearTimeout(this.telling);
  }

  // --- frames ---

  talk(c: string): Talk {
    const known = this.talks.value.find((talk) => talk.c === c);
    if (known) return known;
    const talk = new Talk(c);
    this.talks.value = [talk, ...this.talks.value];
    return talk;
  }

  private order(): void {
    this.talks.value = [...this.talks.value].sort((a, b) => b.at - a.at);
  }

  private heard(frame: ServerFrame): void {
    switch (frame.t) {
      case "event":
        return this.event(frame);
      case "conversation":
        this.talk(frame.c).summary(frame);
        return this.count();
      case "reset":
        return this.talk(frame.c).reset();
      case "synced":
        return this.talk(frame.c).changed();
      case "resumed":
        this.order();
        this.count();
        return this.flush();
      case "ack":
        return this.acknowledged(frame.c, frame.id);
      case "refused":
        return this.refused(frame);
      case "typing":
        this.host.emit("typing", { from: frame.from, name: frame.name });
        return this.talk(frame.c).grow({ from: frame.from, name: frame.name, until: 0 }, frame.ms);
      case "stream":
        return this.talk(frame.c).grow({ from: "assistant", body: frame.body, until: 0 }, frame.ms);
      case "read": {
        const talk = this.talk(frame.c);
        talk.read = Math.max(talk.read, frame.seq);
        talk.changed();
        return this.count();
      }
      case "toast":
        this.toast.value = frame.text;
        return;
      case "pong":
      case "bye":
        return;
    }
  }

  private event(entry: Entry): void {
    const talk = this.talk(entry.c);
    const before = talk.standing;
    const live = this.connection.value === "online";
    this.refocus();
    const taken = talk.take(entry);
    if (talk.gap && live) this.link.send({ t: "resume", cursors: { [talk.c]: talk.seq } });
    for (const one of taken) this.told(talk, one, before, live);
    this.order();
    this.count();
    this.look();
  }

  private told(talk: Talk, entry: Entry, before: Standing | undefined, live: boolean): void {
    if (entry.kind === "message") {
      if (entry.from === "me") {
        this.persist();
        this.next(talk);
        return this.host.emit("message:sent", { conversation: talk.c, text: entry.text });
      }
      if (!live) return;
      this.host.emit("message:received", { conversation: talk.c, from: entry.from, text: entry.text });
      this.spoken.value = `${this.author(entry.from, entry.name)}: ${entry.text}`;
    } else if (entry.kind === "standing" && live) {
      if (entry.state !== before?.state) this.host.emit("status", (this.status = IDLE[entry.state]!));
      if (entry.state === "human" && entry.technician !== before?.technician) this.host.emit("handover", { technician: entry.technician });
      if (entry.ticket) {
        const known = before?.ticket;
        const { number: id, status } = entry.ticket;
        const detail = { id, status, url: this.address(id) };
        if (!known) this.host.emit("ticket:created", detail);
        else if (known.status !== detail.status) this.host.emit("ticket:updated", detail);
      }
    }
  }

  author(from: string, name?: string): string {
    if (from === "assistant") return this.say("assistant");
    if (from === "me") return this.say("you");
    return from === "technician" && name ? name : (this.site.value?.title ?? this.say("support"));
  }

  // --- sending ---

  send(c: string, text: string, files: FileShown[] = []): void {
    const talk = this.talk(c);
    const waiting: Waiting = { id: clientId(), text, files, at: Date.now(), context: this.facts.next(c) };
    talk.waiting.value = [...talk.waiting.value, waiting];
    talk.at = waiting.at;
    if (!talk.title) talk.title = text.slice(0, 60);
    this.persist();
    this.next(talk);
    this.link.start();
    talk.changed();
  }

  /** One under way at a time, so that they arrive in their order, whatever becomes of each. */
  private next(talk: Talk): void {
    const one = talk.waiting.value.find((waiting) => !waiting.failed);
    if (!one || talk.underWay === one.id) return;
    const { id, text, context, reply_to } = one;
    talk.underWay = id;
    const sent = this.link.send({ t: "send", c: talk.c, id, text, files: one.files.map((file) => file.id), reply_to, context });
    if (!sent) talk.underWay = "";
  }

  /** Everything that was never confirmed goes again, in order; the server knows each by its id. */
  private flush(): void {
    if (this.owed && this.link.send({ t: "profile", ...this.owed })) this.owed = undefined;
    this.tellRead();
    for (const talk of this.talks.value) {
      talk.underWay = "";
      this.next(talk);
    }
  }

  private acknowledged(c: string, id: string): void {
    const talk = this.talk(c);
    // Its entry comes as well; whichever is first ends the waiting.
    if (talk.messages.some((message) => message.id.endsWith(id))) {
      talk.waiting.value = talk.waiting.value.filter((one) => one.id !== id);
    }
    this.persist();
    for (const [tag, on] of this.tags) this.putTag(c, tag, on);
    this.tags.clear();
    this.next(talk);
  }

  private refused(frame: { id: string; code: string; detail: string; retry: number | null; status: number }): void {
    for (const talk of this.talks.value) {
      const one = talk.waiting.value.find((waiting) => waiting.id === frame.id);
      if (!one) continue;
      if (frame.retry !== null && frame.retry < 3600) {
        const again = (): void => {
          talk.underWay = "";
          this.next(talk);
        };
        setTimeout(again, frame.retry * 1000 + Math.random() * 500);
        return;
      }
      talk.waiting.value = talk.waiting.value.map((w) => (w === one ? { ...one, failed: frame.detail } : w));
      this.persist();
      this.next(talk);
    }
    this.toast.value = frame.code === "too-many" ? this.say("slow") : frame.detail;
    this.host.emit("error", { code: frame.code, detail: frame.detail, status: frame.status });
  }

  retry(talk: Talk, id: string): void {
    talk.waiting.value = talk.waiting.value.map((one) => (one.id === id ? { ...one, failed: undefined } : one));
    this.next(talk);
  }

  press(c: string, action: string, value?: string, message?: string): void {
    const talk = this.talk(c);
    this.refocus();
    if (message) talk.pressed.add(message);
    talk.changed();
    const frame: ClientFrame = { t: "press", c, id: clientId(), action, value, message };
    if (!this.link.send(frame)) {
      if (message) talk.pressed.delete(message);
      this.toast.value = this.say("offline");
    } else if (action.startsWith("rate:")) {
      this.host.emit("csat:submitted", { conversation: c, score: Number(action.slice(5)) });
    }
  }

  /** Own words anew. Nothing is shown before the server has it. */
  edit(c: string, message: string, text: string): boolean {
    return this.act({ t: "edit", c, id: clientId(), message, text });
  }

  erase(c: string, message: string): boolean {
    this.refocus();
    return this.act({ t: "delete", c, id: clientId(), message });
  }

  react(c: string, message: string, emoji: string, on: boolean): boolean {
    return this.act({ t: "react", c, id: clientId(), message, emoji, on });
  }

  private act(frame: ClientFrame): boolean {
    const sent = this.link.send(frame);
    if (!sent) this.toast.value = this.say("later");
    return sent;
  }

  /** A button that was pressed may be gone; whoever uses the keyboard must not be thrown out of the panel. */
  refocus(): void {
    // Somebody who is elsewhere on the page is left there.
    if (!this.host.root.activeElement) return;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        if (this.open.value && !this.host.root.activeElement) {
          this.host.root.querySelector<HTMLElement>("[data-first]")?.focus();
        }
      }),
    );
  }

  typing(c: string): void {
    if (Date.now() - this.typed < 4000 || this.talk(c).seq === 0) return;
    this.typed = Date.now();
    this.link.send({ t: "typing", c });
  }

  async upload(file: File): Promise<FileShown> {
    const limit = this.site.value?.limits.file ?? 0;
    if (limit && file.size > limit) throw new Error(this.say("large", `${limit >> 20} MB`));
    const name = file.name || "image.png";
    const answer = await this.link.request(
      `uploads?name=${encodeURIComponent(name)}`,
      file,
      file.type || "application/octet-stream",
    );
    return (await answer.json()) as FileShown;
  }

  /** What unknown people say of themselves. */
  profile(facts: { name?: string; email?: string }): void {
    if (this.me.value) this.me.value = { ...this.me.value, ...facts };
    if (!this.link.send({ t: "profile", ...facts })) this.owed = { ...this.owed, ...facts };
  }

  /** Facts of the conversation that is open, else of the latest; where there is none, of the next. */
  setConversationContext(facts: Record<string, unknown>): void {
    this.facts.setHere(this.current()?.c ?? "", facts);
  }

  /** What the page means by "the conversation": the one that is open, else the latest. */
  private current(): Talk | undefined {
    const view = this.view.value;
    return view.at === "talk" ? this.talk(view.c) : this.talks.value.find((talk) => talk.last > 0 || talk.waiting.value.length > 0);
  }

  /** On the conversation that is open, else the latest; where there is none, on the next. */
  tag(tag: string, on: boolean): void {
    const word = String(tag).trim().toLowerCase().replace(/\s+/g, "-");
    if (!/^[a-z0-9][a-z0-9._-]{0,39}$/.test(word)) throw new TypeError("a tag is up to 40 of a-z, 0-9, . _ and -");
    const talk = this.current();
    if (talk && talk.last > 0) this.putTag(talk.c, word, on);
    else if (on) this.tags.set(word, on);
    else this.tags.delete(word);
  }

  private putTag(c: string, tag: string, on: boolean): void {
    if (!this.link.send({ t: "press", c, id: clientId(), action: `tag:${on ? "" : "-"}${tag}` })) this.tags.set(tag, on);
  }

  // --- views ---

  /** Marks what is looked at as read. */
  look(): void {
    const view = this.view.value;
    if (!this.open.value || view.at !== "talk" || document.visibilityState === "hidden") return;
    const talk = this.talk(view.c);
    if (talk.seq <= talk.read) return;
    talk.read = talk.seq;
    this.seen.add(talk);
    // A hundred entries that come together were read together.
    this.telling ??= setTimeout(() => this.tellRead(), 200);
    talk.changed();
    this.count();
  }

  private readonly seen = new Set<Talk>();
  private telling: ReturnType<typeof setTimeout> | undefined;
  private tellRead(): void {
    this.telling = undefined;
    for (const talk of this.seen) {
      const last = talk.messages.findLast((message) => message.from !== "me");
      if (this.link.send({ t: "read", c: talk.c, seq: talk.read, message: last?.id })) this.seen.delete(talk);
    }
  }

  private shown = -1;
  private count(): void {
    const unread = this.unread.value;
    if (unread === this.shown) return;
    this.shown = unread;
    this.host.unread(unread);
    this.host.emit("unread", { count: unread });
  }

  start(text = "", press?: string): void {
    this.fresh((c) => {
      if (text) this.send(c, text);
      if (press) this.press(c, press);
    });
  }

  /** In the conversation that is open, else in a new one. */
  within(go: (c: string) => void): void {
    const view = this.view.value;
    if (view.at === "talk") go(view.c);
    else this.fresh(go);
  }

  /** In a new conversation. Unknown people are asked who they are first, where the site wants to know. */
  fresh(go: (c: string) => void): void {
    const { at } = this.view.value;
    // Somebody is about to begin one: this comes along.
    if (at === "ask" || at === "leave") return void this.later.push(go);
    const now = (): void => this.freshNow(go);
    if (this.site.value) return now();
    // What the site wants to know comes with the session; without a network it is not asked.
    void this.session().then(now, now);
  }

  private freshNow(go: (c: string) => void): void {
    const person = this.person.value;
    const then = (): void => {
      if (this.person.value !== person) return;
      const c = uuid();
      this.facts.begun(c);
      this.view.value = { at: "talk", c, fresh: true };
      for (const one of [go, ...this.later.splice(0)]) one(c);
    };
    const me = this.me.value;
    const wanted = this.site.value?.ask ?? [];
    const asked = wanted.some((one) => !me?.[one]) && !me?.verified && this.talks.value.length === 0;
    if (asked) this.view.value = { at: "ask", then };
    else then();
  }

  /** A request by its ticket's number or its own, as they are shown. */
  request(id: string): Talk | undefined {
    const wanted = id.toLowerCase();
    return this.talks.value.find(({ standing }) =>
      [standing?.ticket?.number, standing?.reference, standing?.reference.slice(1)].some((one) => one?.toLowerCase() === wanted),
    );
  }

  /** The request that the page's address named, once it is among theirs. */
  linked = "";
  follow(): void {
    const found = this.linked && this.request(this.linked);
    if (!found) return;
    this.linked = "";
    this.open.value = true;
    this.show(found.c);
  }

  /** Where a ticket can be seen by whoever has it: on this page, in the widget. */
  private address(id: string): string {
    return `${location.href.split("#")[0]}#deskbridge=${encodeURIComponent(id)}`;
  }

  show(c: string): void {
    this.view.value = { at: "talk", c };
    const talk = this.talk(c);
    if (talk.seq < talk.last) this.link.send({ t: "resume", cursors: { [c]: talk.seq } });
    this.look();
  }

  /** Unsent words outlive the page. */
  private persist(): void {
    const waiting = this.talks.value.filter((talk) => talk.waiting.value.length > 0);
    this.tabs.queue(waiting.map((talk) => [talk.c, talk.title, talk.waiting.value]));
  }

  private restore(): void {
    for (const [c, title, waiting] of this.tabs.queued()) {
      const talk = this.talk(c);
      talk.title ||= title;
      const known = new Set(talk.waiting.value.map((one) => one.id));
      talk.waiting.value = [...talk.waiting.value, ...waiting.filter((one) => !known.has(one.id))];
    }
  }
}
