// What the API answers, as far as the console reads it (docs/openapi.json).

export interface Named { id: string; name: string }
export interface Action { id: string; label: string }

export interface Conversation {
  id: number;
  reference: string;
  seq: number;
  stage: "assisting" | "handover" | "assigned" | "closed";
  state: "assisting" | "waiting" | "offered" | "assigned" | "snoozed" | "resolved" | "closed";
  status: string;
  queue: string;
  priority: number;
  labels: string[];
  subject: string;
  requester: { id: string; name: string; language: string; away: boolean };
  assignee: string | null;
  co_repliers: string[];
  offer: { to: string | null; until: string } | null;
  transfer_to: string | null;
  waiting_since: string | null;
  answer_by: string | null;
  snoozed_until: string | null;
  sessions: { id: number; role: "requester" | "desk"; channel: string; state: string }[];
  ticket: TicketLink;
  rating: number | null;
  opened: string;
  actions: Action[];
}

export interface Detail extends Conversation {
  card: { title: string; facts: { label: string; value: string }[]; summary: string; hint: string };
}

export interface TicketLink {
  state: "none" | "opening" | "failed" | "linked";
  desk: string | null;
  number: string | null;
  status: string | null;
}

export interface Ticket {
  number: string;
  summary: string;
  status: string;
  priority: number;
  requester: string;
  technician: string | null;
  created: string;
  updated: string;
  conversation: number | null;
  history: { by: string; what: string; at: string }[];
}

export interface Delivery {
  id: string;
  session: number;
  channel: string;
  operation: string;
  state: "queued" | "attempting" | "accepted" | "sent" | "delivered" | "seen" | "unknown" | "failed" | "cancelled";
  held_until: string | null;
  error: string | null;
}

export interface Attachment { name: string; mime: string; size: number; url: string | null; missing: string | null }

export interface Message {
  id: string;
  seq: number;
  author: { kind: "requester" | "technician" | "assistant" | "outsider" | "desk"; id: string | null; name: string };
  audience: "public" | "internal" | "private" | "requester";
  text: string | null;
  attachments: Attachment[];
  reply_to: string | null;
  at: string;
  stored: string;
  edited: string | null;
  deleted: boolean;
  helpful: boolean | null;
  deliveries: Delivery[];
}

export interface Technician {
  id: string;
  name: string;
  role: Role;
  presence: Presence;
  load: number;
  capacity: number;
  queues: string[];
}
export type Role = "technician" | "supervisor" | "admin";
export type Presence = "available" | "busy" | "away" | "offline";

export interface Queue { name: string; waiting: number; expected_wait: number | null; open: boolean; reopens: string | null; technicians: string[]; priority: number }
export interface Me { technician: { id: string; name: string; role: Role } | null; queues: string[]; csrf: string | null; undo_window: number; rewrites: boolean }
export interface Canned { id: string; shortcut: string; text: string; shared: boolean }
export interface Hit { conversation: number; message: string; snippet: string; at: string }
export interface Article { id: string; title: string; section: string; text: string; score: number }
export interface Upload { id: string; name: string; mime: string; size: number; url: string }
export interface Watcher { technician: string; name: string; doing: "viewing" | "replying" | "noting" }
export interface Similar { conversation: Conversation; answer: string }
export interface Person { id: string; name: string; language: string; latest: Conversation }
export interface Site { name: string; tag: string; settings: Setting[] }
export interface Typist { technician: string | null; name: string; until: number }
export interface Written { conversation: Conversation; message: Message | null; toast: string | null }
export interface Entry { seq: number; at: string; kind: string; event: unknown }
export interface Account { technician: string; name: string; role: Role; login: string | null; state: string; fixed: boolean; factor: boolean; provider: boolean }
export interface Setting { path: string; value: unknown; from: string; editable: boolean }
export interface Token { id: string; name: string; scopes: string[]; technician: string | null; created: string; expires: string | null; state: string }
export interface Channel { name: string; requesters: boolean; desks: number; health: { state: string; since: string | null; detail: string | null } }
