// The settings' pages: what they are called, who may open them, and opening one; they are loaded when they are asked for.
// Not here: what is on them (settings.tsx).

import { signal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { me, route, toast } from "./state.ts";
import type { Role } from "./types.ts";

export type Sheet = "Queues" | "Technicians" | "Rules" | "Canned replies" | "Widget sites" | "Channels" | "API tokens" | "Audit log";

const RANK: Record<Role, number> = { technician: 0, supervisor: 1, admin: 2 };
/** From which role on, as the API has it. */
const FROM: Record<Sheet, Role> = {
  Queues: "admin", Technicians: "admin", Rules: "admin", "Canned replies": "technician", "Widget sites": "admin", Channels: "supervisor", "API tokens": "admin", "Audit log": "admin",
};

export const rank = () => RANK[me.value?.technician?.role ?? "technician"];
/** Those that one may open; one's first. */
export const sheets = () => (Object.keys(FROM) as Sheet[]).filter((one) => RANK[FROM[one]] <= rank());
export const pathOf = (one: Sheet) => `/settings/${one.toLowerCase().replaceAll(" ", "-")}`;

const asked = signal<Sheet | null>(null);
/** The one that is open. */
export const sheet = () => {
  const may = sheets();
  return asked.value && may.includes(asked.value) ? asked.value : may[0];
};

export const Settings = signal<FunctionComponent | null>(null);

export function openSettings(one?: Sheet) {
  if (one) asked.value = one;
  route.value = "settings";
  if (Settings.value) return;
  import("./settings.tsx").then((found) => (Settings.value = found.SettingsPage), () => toast("The settings could not be loaded.", { bad: true }));
}
