// Calls to /api/v1: the session's cookie goes by itself, the header that proves our own page goes with every write.
// Not here: what is done with the answers.

const ROOT = "/api/v1";
let csrf = "";

export class Refused extends Error {
  constructor(readonly status: number, readonly code: string, detail: string) {
    super(detail);
  }
}

export function setCsrf(token: string | null) {
  csrf = token ?? "";
}

/** Called when the session is over. */
let over = () => {};
export function onOver(act: () => void) {
  over = act;
}

export interface Page<T> { data: T; next_cursor?: string | null }

async function ask<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Page<T>> {
  const sent: RequestInit = { method, headers: { ...headers }, credentials: "same-origin", cache: "no-store" };
  const given = sent.headers as Record<string, string>;
  if (method !== "GET") {
    given["x-csrf-token"] = csrf;
    given["idempotency-key"] ??= crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  }
  if (body instanceof Blob) {
    sent.body = body;
    given["content-type"] = body.type || "application/octet-stream";
  } else if (body !== undefined) {
    sent.body = JSON.stringify(body);
    given["content-type"] = "application/json";
  }
  let answer: Response;
  try {
    answer = await fetch(ROOT + path, sent);
  } catch {
    throw new Refused(0, "offline", "The server cannot be reached. Nothing was changed.");
  }
  const found = (await answer.json().catch(() => ({}))) as Page<T> & { code?: string; detail?: string; title?: string };
  if (answer.ok) return found;
  const open = path === "/session" || path.startsWith("/session/");
  if (answer.status === 401 && !open) over();
  const text = found.detail || found.title || `Refused (${answer.status})`;
  throw new Refused(answer.status, found.code ?? "", text.charAt(0).toUpperCase() + text.slice(1));
}

export const get = async <T>(path: string) => (await ask<T>("GET", path)).data;
export const page = <T>(path: string) => ask<T[]>("GET", path);
export const post = async <T>(path: string, body: unknown = {}, key?: string) =>
  (await ask<T>("POST", path, body, key ? { "idempotency-key": key } : {})).data;
export const put = async <T>(path: string, body: unknown) => (await ask<T>("PUT", path, body)).data;
export const remove = async <T>(path: string, body?: unknown) => (await ask<T>("DELETE", path, body)).data;

/** Every page of a list, up to a reasonable end. */
export async function all<T>(path: string, most = 2_000): Promise<T[]> {
  const found: T[] = [];
  let cursor = "";
  const joint = path.includes("?") ? "&" : "?";
  for (;;) {
    const next = await page<T>(`${path}${joint}limit=200${cursor}`);
    found.push(...next.data);
    if (!next.next_cursor || found.length >= most) return found;
    cursor = `&cursor=${next.next_cursor}`;
  }
}
