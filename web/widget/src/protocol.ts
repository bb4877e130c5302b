// The frames of docs/widget-protocol.md.
import type { Node } from "../../shared/tree";

export interface Action {
  id: string;
  label: string;
  value?: string;
}

export interface FileShown {
  id: string;
  name: string;
  mime: string;
  size: number;
  url?: string;
}

export type State = "assistant" | "waiting" | "human" | "closed";

export interface Standing {
  reference: string;
  state: State;
  technician?: string;
  ticket?: { number: string; status: string };
  position?: number;
  subject?: string;
  rating?: number;
}

export type From = "me" | "assistant" | "technician" | "desk";

interface Numbered {
  t: "event";
  c: string;
  seq: number;
  at: number;
}

export type Entry = Numbered &
  (
    | {
        kind: "message";
        id: string;
        from: From;
        name?: string;
        body?: Node[];
        text: string;
        actions?: Action[];
        files?: FileShown[];
        reply_to?: string;
      }
    | { kind: "edited"; id: string; body?: Node[]; text: string; actions?: Action[] }
    | { kind: "deleted"; id: string }
    | { kind: "reacted"; id: string; emoji: string; on: boolean; mine: boolean }
    | { kind: "marked"; id: string; mark: string }
    | { kind: "pressed"; id: string; action: string }
    | ({ kind: "standing" } & Standing)
  );

export interface Summary {
  c: string;
  title: string;
  standing: Standing | null;
  seq: number;
  read: number;
  at: number;
  words: string;
}

export type ServerFrame =
  | Entry
  | ({ t: "conversation" } & Summary)
  | { t: "reset"; c: string }
  | { t: "synced"; c: string; seq: number }
  | { t: "resumed" }
  | { t: "ack"; c: string; id: string; seq: number; message: string }
  | { t: "refused"; id: string; status: number; code: string; detail: string; retry: number | null }
  | { t: "typing"; c: string; from: From; name?: string; ms: number }
  | { t: "stream"; c: string; body: Node[]; ms: number }
  | { t: "read"; c: string; seq: number }
  | { t: "toast"; c: string; text: string }
  | { t: "pong" }
  | { t: "bye"; code: string };

export interface Hours {
  open: boolean;
  back?: string;
  online: number;
  wait?: number;
}

export interface Site {
  title: string;
  greeting: string | null;
  color: string;
  topics: string[];
  ask: ("name" | "email")[];
  verifiedOnly: boolean;
  hours: Hours;
  limits: { text: number; files: number; file: number };
}

export interface Begun {
  token: string;
  until: number;
  me: { id: string; name: string | null; email: string | null; verified: boolean };
  site: Site;
  conversations: Summary[];
}

export type ClientFrame = { t: string; c?: string; id?: string } & Record<string, unknown>;

export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A client id: never begins with `d`, which is the server's. */
export const clientId = (): string => `m${uuid()}`;
