// What scripts that look at the console share: signing in by a one-time link, its parts by their names, both themes.
// Not here: what is looked at.
import { execFileSync } from "node:child_process";
import { axe, assert, shoot } from "./lib.mjs";

export const PASSWORD = "correct horse battery";

/** A technician's first sign-in, in a browser of their own. */
export async function signedIn(program, context, who, email) {
  const said = execFileSync(process.env.DESKBRIDGE_TEST_PROGRAM, ["user", "login-link", who, "--config", "deskbridge.toml"], { cwd: program.folder, env: { PATH: process.env.PATH }, encoding: "utf8" });
  const secret = /#welcome=[0-9a-f]{64}/.exec(said)?.[0];
  assert.ok(secret, said);
  const page = await context.newPage();
  await page.goto(`${program.url}/console/${secret}`);
  await page.getByLabel("Password", { exact: true }).waitFor();
  const login = page.getByLabel("E-mail address");
  if (email) await login.fill(email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Once more").fill(PASSWORD);
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("region", { name: "Chat list" }).waitFor();
  // Whatever is done now is heard.
  await page.locator(".offline").waitFor({ state: "detached" });
  return page;
}

/** Everybody on the fake Telegram whose words are waited for at the desk. */
export async function asks(telegram, id, name, text) {
  await telegram.do("user", { id, name, language_code: "en" });
  await telegram.do("private_message", { user: id, text });
}

export const log = (page) => page.getByRole("log", { name: "Messages" });
export const line = (page, name) => page.locator("[role=option]", { hasText: name });
export const chosen = (page) => page.locator("[role=option][aria-selected=true]");

/** Both themes, by axe, and by people where somebody wants pictures. What axe has against it. */
export async function bothThemes(page, name) {
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const one of await axe(page, "document")) found.push([name, colorScheme, one]);
    await shoot(page, `${name}-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}
