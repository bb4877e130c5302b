// Settings: one technician, new or changed; everything that is set for them, so that nothing is lost by a change.
// Not here: their account and their sessions (settings.tsx).

import { trying } from "./acts.ts";
import { post, put } from "./api.ts";
import { own, toast } from "./state.ts";
import type { Role, Setting } from "./types.ts";

export interface Known { id: string; name: string; email: string; role: Role; capacity: number; skills: string[]; languages: string[]; queues: string[]; identities: string[] }

const words = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);

/** What the settings say of somebody. */
export function known(settings: Setting[], id: string): Known | null {
  const at = settings.find((one) => /^technicians\[\d+\]\.id$/.test(one.path) && one.value === id)?.path.replace(/\.id$/, "");
  if (!at) return null;
  const value = (key: string) => settings.find((one) => one.path === `${at}.${key}`)?.value;
  return {
    id, name: String(value("name") ?? ""), email: String(value("email") ?? ""), role: (value("role") as Role | undefined) ?? "technician", capacity: Number(value("capacity") ?? 4),
    skills: words(value("skills")), languages: words(value("languages")), queues: words(value("queues")), identities: words(value("identities")),
  };
}

export function Person({ one, done, cancel }: { one: Known | null; done: () => Promise<void>; cancel: () => void }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const list = (name: string) => text(name).split(",").map((word) => word.trim()).filter(Boolean);
    const body = {
      name: text("name"), role: (form.get("role") ?? one?.role) as Role, capacity: Number(form.get("capacity")), ...(text("email") ? { email: text("email") } : {}),
      skills: list("skills"), languages: list("languages"), queues: list("queues"), identities: list("identities"),
    };
    void trying(async () => {
      await (one ? put(`/technicians/${one.id}`, body) : post("/technicians", body));
      await done();
      toast(one ? `${body.name}: saved` : `${body.name} was added. A one-time link lets them choose a password.`);
    });
  };
  const self = one?.id === own.value;
  return (
    <form class="form" aria-label={one ? `Change ${one.name}` : "Add a technician"} onSubmit={submit}>
      <h3>{one ? `Change ${one.name}` : "A new technician"}</h3>
      <div class="pair">
        <label>Name<input name="name" required maxLength={100} defaultValue={one?.name ?? ""} autofocus /></label>
        <label>E-mail address<input name="email" type="email" required={!one || one.email !== ""} defaultValue={one?.email ?? ""} /></label>
        <label>Role<select name="role" disabled={self} title={self ? "Somebody else has to change your role" : undefined}>
          {["technician", "supervisor", "admin"].map((role) => <option key={role} selected={role === (one?.role ?? "technician")}>{role}</option>)}
        </select></label>
        <label>Conversations at once<input name="capacity" type="number" min={1} max={1000} defaultValue={String(one?.capacity ?? 4)} required /></label>
        <label>Skills<input name="skills" placeholder="vpn, sap" defaultValue={one?.skills.join(", ") ?? ""} /></label>
        <label>Languages<input name="languages" placeholder="en, de" defaultValue={one?.languages.join(", ") ?? ""} /></label>
        <label>Queues<input name="queues" placeholder="empty: those that name nobody" defaultValue={one?.queues.join(", ") ?? ""} /></label>
        <label>Identities<input name="identities" placeholder="telegram:12345" defaultValue={one?.identities.join(", ") ?? ""} /></label>
      </div>
      {one && !self && <p class="muted">With another role they are signed out, and sign in anew.</p>}
      <p class="row"><button class="primary">{one ? "Save" : "Add"}</button><button type="button" onClick={cancel}>Cancel</button></p>
    </form>
  );
}
