// The words of one language; loaded when it is needed.
import { signal } from "@preact/signals";
import type en from "./locales/en";

type Words = typeof en;

const FILES: Record<string, () => Promise<{ default: Words }>> = {
  en: () => import("./locales/en"),
  de: () => import("./locales/de"),
  es: () => import("./locales/es"),
  fr: () => import("./locales/fr"),
  ar: () => import("./locales/ar"),
};

const words = signal<Partial<Words>>({});
export const locale = signal("en");
export const direction = (): "rtl" | "ltr" => (/^(ar|he|fa|ur)/.test(locale.value) ? "rtl" : "ltr");

/** Takes the nearest language there is. */
export async function speak(wanted: string): Promise<void> {
  const language = wanted.slice(0, 2).toLowerCase();
  const known = language in FILES ? language : "en";
  words.value = (await FILES[known]!()).default;
  locale.value = known === language ? wanted : "en";
}

export function say(key: string, value?: string): string {
  const text = words.value[key as keyof Words] ?? key;
  return value === undefined ? text : text.replace("{0}", value);
}
