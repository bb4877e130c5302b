// A bridge as a process, a fake Telegram by its control address, a Chromium; and looking until something is so.
// Not here: what is checked.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

// The peers of all tests (tests/setup/package.json): their folder is named by whoever runs this.
const peers = createRequire(join(process.env.NODE_PEERS ?? "", "peers.js"));
const { chromium } = peers("playwright-core");
const axeSource = readFileSync(peers.resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = Number(process.env.PATIENCE ?? 60_000);
export const base = process.env.BRIDGE_URL;
const fake = process.env.FAKE_URL;
export const MARIA = 100;
export const BOB = 200;
export const DESK = Number(process.env.DESK_ROOM);

export async function until(what, look, ms = PATIENCE) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`it never came to pass: ${what}`);
    await new Promise((go) => setTimeout(go, 25));
  }
}

/** One verb of the fake (tests/platforms/src/telegram/control.rs). */
export async function act(verb, body = {}) {
  const answer = await fetch(`${fake}/_control/${verb}`, { method: "POST", body: JSON.stringify(body) });
  const found = await answer.json();
  if (!found.ok) throw new Error(`${verb}: ${found.description}`);
  return found.result;
}

export const maria = (text) => act("private_message", { user: MARIA, text });
export const inTopic = (thread, text) => act("message", { user: BOB, chat: DESK, thread, text });

/** Waits until Maria's chat, or a topic, shows a text. */
export function sees(text, thread) {
  const place = thread === undefined ? { chat: MARIA } : { chat: DESK, thread };
  return until(`“${text}” on Telegram`, async () => (await act("messages", place)).find((one) => (one.text ?? one.caption ?? "").includes(text)));
}

export async function count(text) {
  return (await act("messages", { chat: MARIA })).filter((one) => (one.text ?? one.caption ?? "").includes(text)).length;
}

export class Bridge {
  lines = "";
  async start() {
    const env = { DESKBRIDGE__DESK__UNDO_WINDOW: "3s", PATH: process.env.PATH };
    this.child = spawn(process.env.BRIDGE_BIN, ["serve", "--config", "deskbridge.toml"], { cwd: process.env.BRIDGE_FOLDER, env, stdio: ["ignore", "pipe", "pipe"] });
    this.lines = "";
    for (const out of [this.child.stdout, this.child.stderr]) out.on("data", (bytes) => (this.lines += bytes));
    await until("ready", async () => {
      if (this.child.exitCode !== null) throw new Error(`it ended:\n${this.lines}`);
      return fetch(`${base}/readyz`).then((answer) => answer.ok, () => false);
    });
  }
  async kill() {
    const ended = new Promise((go) => this.child.once("exit", go));
    this.child.kill("SIGKILL");
    await ended;
  }
  /** What it printed for the person who started it. */
  link() {
    return until("a link", () => /http\S+#welcome=[0-9a-f]{64}/.exec(this.lines)?.[0]);
  }
}

export class Browser {
  static async open() {
    const folder = mkdtempSync(join(tmpdir(), "deskbridge-browser-"));
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      headless: true,
      viewport: { width: 1360, height: 860 },
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    context.setDefaultTimeout(PATIENCE);
    const browser = new Browser();
    Object.assign(browser, { folder, context, faults: [], outside: [] });
    context.on("weberror", (error) => browser.faults.push(`page: ${error.error()}`));
    context.on("dialog", (dialog) => { browser.faults.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
    context.on("request", (request) => { if (!request.url().startsWith(base) && !/^(blob|data|about):/.test(request.url())) browser.outside.push(request.url()); });
    context.on("console", (message) => { if (/Content Security Policy|Trusted ?Type/i.test(message.text())) browser.faults.push(message.text()); });
    return browser;
  }
  async close() {
    await this.context.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What axe finds on a page, a line for each rule. */
export async function axe(browser, page, what) {
  // Over the debugger's own world: the page's policy lets nothing in.
  const session = await browser.context.newCDPSession(page);
  const tree = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: tree.frameTree.frame.id, worldName: "axe" });
  await session.send("Runtime.evaluate", { expression: axeSource, contextId: executionContextId });
  const asked = `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] })
    .then((found) => JSON.stringify(found.violations.map((one) => ({ id: one.id, help: one.help, nodes: one.nodes.map((node) => node.html.slice(0, 200) + " " + (node.failureSummary ?? "")) }))))`;
  const { result } = await session.send("Runtime.evaluate", { expression: asked, contextId: executionContextId, awaitPromise: true });
  await session.detach();
  return JSON.parse(result.value).map((one) => `${what}: ${one.id} (${one.help})\n    ${one.nodes.slice(0, 4).join("\n    ")}`);
}

/** In light and dark: a picture of each, and what axe finds. */
export async function bothThemes(browser, page, what) {
  const found = [];
  for (const theme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: theme });
    found.push(...(await axe(browser, page, `${what} (${theme})`)));
    await shot(page, `${what}-${theme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}

export function shot(page, name) {
  const folder = process.env.SHOTS;
  return folder ? page.screenshot({ path: join(folder, `${name}.png`) }) : Promise.resolve();
}

export function must(so, what) {
  if (!so) throw new Error(`not so: ${what}`);
}

/** Starts everything, goes through a story in a new page, and ends everything; a failure is told with all there is to see. */
export async function tell(name, bridge, complaints, story) {
  await bridge.start();
  const browser = await Browser.open();
  const page = await browser.context.newPage();
  let failed = null;
  try {
    await story(browser, page);
  } catch (error) {
    failed = error;
    await page.screenshot({ path: join(process.env.SHOTS ?? tmpdir(), `${name}-failure.png`) }).catch(() => {});
  }
  await browser.close();
  await bridge.kill();
  if (failed) {
    console.error(failed.stack ?? failed);
    console.error(complaints.join("\n"));
    console.error(bridge.lines.split("\n").slice(-30).join("\n"));
    process.exit(1);
  }
  console.log("all is well");
}
