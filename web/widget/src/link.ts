// The connection: a WebSocket that comes back, or HTTP where none gets through. Knows nothing of messages.
import type { Begun, ClientFrame, ServerFrame } from "./protocol";

export type Connection = "connecting" | "online" | "reconnecting" | "offline";

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retry: number | null,
  ) {
    super(detail);
  }
}

interface Wiring {
  api: string;
  /** Anything that is there whenever the server is. */
  probe: string;
  /** Asked before every connection. */
  token(): Promise<string>;
  cursors(): Record<string, number>;
  frame(frame: ServerFrame): void;
  state(state: Connection): void;
  /** The session does not hold any more. */
  ended(): void;
}

const PATIENCE = 8_000;

export class Link {
  private socket: WebSocket | undefined;
  private stream: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pulse: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  /** Sockets that never opened, in a row. */
  private closedDoors = 0;
  private wanted = false;
  private opening = false;
  private readonly wake = (): void => {
    if (document.visibilityState === "hidden") return;
    if (this.isOpen()) this.check();
    else this.soon(0);
  };
  private readonly gone = (): void => this.wiring.state("offline");

  constructor(private readonly wiring: Wiring) {}

  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    for (const event of ["online", "focus", "pageshow"]) addEventListener(event, this.wake);
    document.addEventListener("visibilitychange", this.wake);
    addEventListener("offline", this.gone);
    this.soon(0);
  }

  stop(): void {
    this.wanted = false;
    for (const event of ["online", "focus", "pageshow"]) removeEventListener(event, this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    removeEventListener("offline", this.gone);
    clearTimeout(this.timer);
    clearTimeout(this.pulse);
    this.close();
  }

  /** Another session, or another language: from the beginning. */
  again(): void {
    this.close();
    this.tries = 0;
    if (this.wanted) this.soon(0);
  }

  isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN || this.stream !== undefined;
  }

  /** False: not now; whoever must not lose it keeps it. */
  send(frame: ClientFrame): boolean {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(frame));
      return true;
    }
    if (this.stream) {
      void this.post("act", frame)
        .then((answer) => (answer as { frames: ServerFrame[] }).frames.forEach((one) => this.wiring.frame(one)))
        .catch((error: unknown) => {
          if (!(error instanceof Refused)) return this.lost();
          if (error.status === 401) return this.wiring.ended();
          const { status, code, message, retry } = error;
          this.wiring.frame({ t: "refused", id: frame.id ?? "", status, code, detail: message, retry });
        });
      return true;
    }
    return false;
  }

  async post(path: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
    return (await this.request(path, JSON.stringify(body), "application/json", signal)).json();
  }

  async request(path: string, body: BodyInit, kind: string, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { "content-type": kind };
    if (path !== "session") headers.authorization = `Bearer ${await this.wiring.token()}`;
    const answer = await fetch(this.wiring.api + path, { method: "POST", body, headers, signal, credentials: "omit" });
    if (answer.ok) return answer;
    const problem = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
    const retry = Number(answer.headers.get("retry-after")) || null;
    throw new Refused(answer.status, problem.code ?? "unavailable", problem.detail ?? answer.statusText, retry);
  }

  /** Ends a session without a connection; the page may be going away. */
  async leave(token: string): Promise<void> {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const ended = { method: "POST", body: '{"t":"logout"}', headers, credentials: "omit", keepalive: true } as const;
    // Without a network it runs out by itself.
    await fetch(`${this.wiring.api}act`, ended).catch(() => undefined);
  }

  begin(wanted: Record<string, unknown>): Promise<Begun> {
    return this.post("session", wanted) as Promise<Begun>;
  }

  private soon(wait: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.open(), wait);
  }

  private lost(): void {
    this.close();
    if (!this.wanted) return;
    this.wiring.state(navigator.onLine ? "reconnecting" : "offline");
    // Spread, so that a thousand browsers do not come back in one moment.
    const wait = Math.min(30_000, 500 * 2 ** this.tries) * (0.7 + Math.random() * 0.6);
    this.tries += 1;
    this.soon(wait);
  }

  private close(): void {
    const { socket, stream } = this;
    this.socket = this.stream = undefined;
    clearTimeout(this.pulse);
    socket?.close();
    stream?.abort();
  }

  private async open(): Promise<void> {
    if (!this.wanted || this.isOpen() || this.opening) return;
    this.opening = true;
    try {
      const token = await this.wiring.token();
      this.close();
      if (this.closedDoors >= 2) await this.openStream();
      else this.openSocket(token);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.wiring.ended();
      else this.lost();
    } finally {
      this.opening = false;
    }
  }

  private openSocket(token: string): void {
    const socket = new WebSocket(`${this.wiring.api.replace(/^http/, "ws")}socket`);
    let opened = false;
    this.socket = socket;
    const patience = setTimeout(() => socket.close(), PATIENCE);
    socket.onopen = () => {
      opened = true;
      this.closedDoors = 0;
      socket.send(JSON.stringify({ t: "hello", token, cursors: this.wiring.cursors() }));
    };
    socket.onmessage = (message) => {
      clearTimeout(patience);
      if (this.socket === socket) this.heard(JSON.parse(String(message.data)) as ServerFrame);
    };
    socket.onclose = (event) => {
      clearTimeout(patience);
      if (this.socket !== socket) return;
      this.socket = undefined;
      if (!opened) this.knock();
      // A network may be too slow for the greeting; the session holds all the same.
      if (event.code === 4401 && event.reason !== "no-hello") this.wiring.ended();
      else this.lost();
    };
  }

  /** Whether only sockets are kept out, or nobody is there at all. */
  private knock(): void {
    fetch(this.wiring.probe, { method: "HEAD", cache: "no-store", credentials: "omit" }).then(
      ({ ok }) => void (ok && (this.closedDoors += 1)),
      () => undefined,
    );
  }

  private async openStream(): Promise<void> {
    const abort = new AbortController();
    const body = JSON.stringify({ cursors: this.wiring.cursors() });
    const answer = await this.request("events", body, "application/json", abort.signal);
    this.stream = abort;
    void this.readStream(answer, abort).finally(() => {
      if (this.stream !== abort) return;
      this.stream = undefined;
      // A socket may get through next time.
      this.closedDoors = 0;
      this.lost();
    });
  }

  private async readStream(answer: Response, abort: AbortController): Promise<void> {
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: "" }));
      if (done || this.stream !== abort) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const data = part.split("\n").filter((line) => line.startsWith("data: "));
        if (data.length) this.heard(JSON.parse(data.map((line) => line.slice(6)).join("\n")) as ServerFrame);
      }
    }
  }

  private heard(frame: ServerFrame): void {
    clearTimeout(this.pulse);
    if (frame.t === "resumed") {
      this.tries = 0;
      this.wiring.state("online");
    }
    this.wiring.frame(frame);
  }

  /** After sleep a socket may look open and be dead: catch up, and wait for an answer. */
  private check(): void {
    clearTimeout(this.pulse);
    this.send({ t: "resume", cursors: this.wiring.cursors() });
    this.pulse = setTimeout(() => this.lost(), PATIENCE);
  }
}
