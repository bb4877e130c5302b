// What the browser's tests stand on: the built program, a page of another origin that shows the widget, Chromium, and the
// fake platform's controls. What is looked for is waited for; nothing here sleeps for a time.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const env = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

const modules = createRequire(join(env("DESKBRIDGE_TEST_NODE_MODULES"), "x.js"));
const { chromium } = modules("playwright-core");

export const PATIENCE = Number(process.env.DESKBRIDGE_TEST_PATIENCE ?? 60_000);
export const MARIA = 100;
export const BOB = 200;

/** Nobody's, and not among those that connections are given: one of these may be taken before it is used. */
async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const free = await new Promise((resolve) => {
      const server = createSocketServer().once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** Asks again until `look` finds something; a failure says what was seen last. */
export async function until(what, look, patience = PATIENCE) {
  const end = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`no ${what}: ${last?.message ?? JSON.stringify(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** The fake Telegram, by its controls. */
export class Telegram {
  constructor(base) {
    this.base = base;
  }

  async do(verb, given = {}) {
    const answer = await fetch(`${this.base}/_control/${verb}`, { method: "POST", body: JSON.stringify(given) });
    const { ok, result, description } = await answer.json();
    if (!ok) throw new Error(`${verb}: ${description}`);
    return result;
  }

  async setUp() {
    await this.do("user", { id: BOB, name: "Bob", language_code: "en" });
    this.desk = await this.do("forum", { title: "IT desk" });
  }

  /** The topic of the latest conversation. */
  topic() {
    return until("topic", async () => (await this.do("topics", { chat: this.desk })).at(-1)?.message_thread_id);
  }

  messages(thread) {
    return this.do("messages", { chat: this.desk, thread });
  }

  sees(thread, text) {
    return until(`“${text}” in the topic`, async () =>
      (await this.messages(thread)).findLast((message) => (message.text ?? message.caption ?? "").includes(text)),
    );
  }

  reply(thread, text, more = {}) {
    return this.do("message", { user: BOB, chat: this.desk, thread, text, ...more });
  }

  async accept(thread) {
    const offer = await this.sees(thread, "yours to accept");
    await this.do("press", { user: BOB, chat: this.desk, message: offer.message_id, button: "Accept" });
  }
}

/** The program, with a folder and a port of its own. */
export class Program {
  static async setUp({ telegram, widget = "", assistant = "", more = "" } = {}) {
    const program = new Program();
    program.folder = mkdtempSync(join(tmpdir(), "deskbridge-browser-"));
    program.port = await freePort();
    program.site = await freePort();
    program.url = `http://127.0.0.1:${program.port}`;
    const desk = telegram
      ? `[channels.telegram]\nadapter = "telegram"\ntoken = "${env("DESKBRIDGE_TEST_TELEGRAM_TOKEN")}"\napi_base = "${telegram.base}"
[channels.telegram.desk]\nroom = "${telegram.desk}"\n`
      : "";
    writeFileSync(
      join(program.folder, "deskbridge.toml"),
      `[server]\nlisten = "127.0.0.1:${program.port}"\n[store]\nurl = "sqlite:deskbridge.db"\nblobs = "blobs"\n${desk}
[channels.widget]\nadapter = "widget"\norigins = ["http://localhost:${program.site}"]\ntitle = "IT support"
topics = ["VPN does not connect", "Reset my password"]\nmessages_per_minute = 600\n${widget}
[assistant]\nknowledge = ${JSON.stringify(env("DESKBRIDGE_TEST_KNOWLEDGE"))}\nburst_window = "100ms"\n${assistant}[desk]\nundo_window = "0s"\n${more}
[[technicians]]\nname = "Bob"\n${telegram ? `identities = ["telegram:${BOB}"]\n` : ""}capacity = 100\n`,
    );
    return program;
  }

  async start() {
    this.starts = (this.starts ?? 0) + 1;
    this.log = join(this.folder, `log-${this.starts}`);
    const log = createWriteStream(this.log);
    this.child = spawn(env("DESKBRIDGE_TEST_PROGRAM"), ["serve", "--config", "deskbridge.toml"], {
      cwd: this.folder,
      env: { PATH: process.env.PATH },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child.stderr.pipe(log);
    await until("readiness", async () => {
      if (this.child.exitCode !== null) throw new Error(`it ended: ${readFileSync(this.log, "utf8")}`);
      return (await fetch(`${this.url}/readyz`)).ok;
    });
  }

  async kill() {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }

  said() {
    return readFileSync(this.log, "utf8");
  }

  /** A technician by the API: what the console does, without its screen. */
  desk(technician = "bob") {
    const scopes = ["chats:read", "chats:write", "tickets:read"].flatMap((scope) => ["--scope", scope]);
    const args = ["token", "create", "--name", "browser", "--technician", technician, ...scopes, "--config", "deskbridge.toml"];
    const token = execFileSync(env("DESKBRIDGE_TEST_PROGRAM"), args, { cwd: this.folder, env: { PATH: process.env.PATH }, encoding: "utf8" }).trim();
    return async (method, path, body) => {
      const answer = await fetch(`${this.url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
        body: body && JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.status === 204 ? undefined : answer.json();
    };
  }

  async end() {
    if (this.child?.exitCode === null) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A site of another origin with a policy that allows nothing inline; remembers what browsers report against it. */
export class Site {
  constructor(program) {
    this.program = program;
    this.reports = [];
    this.attributes = "";
    this.head = "";
    this.lang = "en";
  }

  async start() {
    const { url, port, site } = this.program;
    const policy =
      `default-src 'none'; script-src 'self' ${url}; connect-src ${url} ws://127.0.0.1:${port}; img-src ${url}; ` +
      `style-src 'self'; require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'; report-uri /report`;
    this.server = createServer((request, response) => {
      if (request.url === "/report") {
        let body = "";
        request.on("data", (piece) => (body += piece));
        request.on("end", () => this.reports.push(body));
        return response.end();
      }
      if (request.url === "/page.js") {
        response.setHeader("content-type", "text/javascript");
        return response.end(this.script ?? "");
      }
      const tag = `<script type="module" src="${url}/widget/v1/deskbridge.js" data-key="widget" ${this.attributes}></script>`;
      response.setHeader("content-type", "text/html");
      // Pages of old make scripts of texts; what they need is not ours to ask for.
      response.setHeader("content-security-policy", this.plain ? policy.replace("require-trusted-types-for 'script'; ", "") : policy);
      response.end(
        `<!doctype html><html lang="${this.lang}"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A portal</title>${this.head}<main><h1>A portal</h1>` +
          `<p>Text of the page.</p><a href="#x">A link</a></main>${this.plain ? "" : tag}</html>`,
      );
    });
    await new Promise((resolve) => this.server.listen(site, "127.0.0.1", resolve));
    this.url = `http://localhost:${site}/`;
  }

  end() {
    this.server?.closeAllConnections?.();
    this.server?.close();
  }
}

/** Chromium, with a profile of its own and nothing of its own to say to the network. */
export function launch() {
  return chromium.launch({
    executablePath: env("DESKBRIDGE_TEST_CHROMIUM"),
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
}

/** The demo on a free port, and what its page is called; ended by `end`. */
export async function demo() {
  const child = spawn(env("DESKBRIDGE_TEST_PROGRAM"), ["demo", "--port", "0"], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (said += piece));
  const url = await until("the demo's address", () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${said}`);
    return /Open\s+(http:\S+)/.exec(said)?.[1];
  });
  const end = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  };
  return { url, end, said: () => said };
}

/** Everything of one test; ended whatever happens. */
export async function stage(options, play) {
  const ends = [];
  try {
    let telegram;
    if (options.telegram !== false) {
      telegram = new Telegram(env("DESKBRIDGE_TEST_TELEGRAM"));
      await telegram.setUp();
    }
    const program = await Program.setUp({ ...options, telegram });
    ends.push(() => program.end());
    if (options.start !== false) await program.start();
    const site = new Site(program);
    Object.assign(site, options.site ?? {});
    ends.push(() => site.end());
    await site.start();
    const browser = await launch();
    ends.push(() => browser.close());
    const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 }, ...options.context });
    context.setDefaultTimeout(PATIENCE);
    const [faults, heard] = [[], []];
    const open = async () => {
      const page = await context.newPage();
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("console", (message) => heard.push(`${message.type()}: ${message.text()}`));
      page.on("requestfailed", (request) => heard.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
      page.on("dialog", (dialog) => faults.push(`a dialog: ${dialog.message()}`));
      await page.goto(site.url);
      return page;
    };
    try {
      await play({ telegram, program, site, context, open, browser });
    } catch (error) {
      await shoot(context.pages()[0], "failed").catch(() => {});
      console.error(`the console:\n${heard.slice(-30).join("\n")}\nthe log:\n${program.said().slice(-6000)}`);
      throw error;
    }
    assert.deepEqual(faults, [], "errors on the page");
    assert.deepEqual(site.reports, [], "reports against the page's policy");
    if (telegram) assert.deepEqual(await telegram.do("violations"), []);
  } finally {
    if (!process.env.KEEP) for (const end of ends.reverse()) await end();
  }
}

const axeSource = (() => {
  try {
    return readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
  } catch {
    return undefined;
  }
})();

/** What axe has against a part of a page, in a world of its own: pages' policies let no foreign script in. */
export async function axe(page, part) {
  // Green with nothing looked at would be worse than red.
  if (!axeSource) throw new Error("axe-core is not installed (tests/setup/package.json)");
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  await session.send("Runtime.evaluate", { expression: axeSource, contextId });
  const expression = `axe.run(${part}, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], rules: { region: { enabled: ${part === "document"} } } })
    .then((found) => JSON.stringify(found.violations.map((v) => [v.id, v.nodes.map((n) => n.target.flat().join(" ") + " " + n.failureSummary)])))`;
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, contextId, awaitPromise: true });
  await session.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return JSON.parse(result.value);
}

/** A picture for people to look at, where somebody wants any. */
export async function shoot(page, name) {
  const folder = process.env.DESKBRIDGE_TEST_SHOTS;
  if (!folder || !page) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled" });
}

/** What is smaller than a finger wants (conventions §1.3: 44 by 44); links within a sentence are as large as its words. */
async function small(page) {
  const targets = page.locator("deskbridge-widget :is(button, a, input, textarea, select):not(.bubble a)");
  const found = [];
  for (const target of await targets.all()) {
    const box = (await target.isVisible()) && (await target.boundingBox());
    if (box && (box.width < 43.5 || box.height < 43.5)) {
      found.push(`${await target.evaluate((one) => `${one.localName}.${one.className} ${one.getAttribute("aria-label") ?? one.textContent}`)}: ${box.width} × ${box.height}`);
    }
  }
  return found;
}

/** A state that axe has nothing against, and fingers neither. */
export async function clean(page, name) {
  await shoot(page, name);
  assert.deepEqual(await axe(page, 'document.querySelector("deskbridge-widget")'), [], `axe: ${name}`);
  assert.deepEqual(await small(page), [], `too small: ${name}`);
}

/** What is pressed next goes into the widget: the focus comes back when the button that had it is gone. */
export function focusWithin(page) {
  return page.waitForFunction(() => document.activeElement?.shadowRoot?.activeElement);
}

/** For `context.addInitScript`: what goes over the widget's sockets, and a way to be deaf for a while, or to hear what was never said. */
export function listenIn() {
  window.wire = { sent: [], heard: [], deaf: false, socket: undefined };
  const { wire } = window;
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      wire.socket = this;
    }
    send(data) {
      wire.sent.push(JSON.parse(data));
      super.send(data);
    }
    set onmessage(hear) {
      this.hear = (data) => hear({ data });
      super.onmessage = (event) => {
        wire.heard.push(JSON.parse(event.data));
        if (!wire.deaf) hear(event);
      };
    }
  };
}

/** The widget on a page, as a person sees it. */
export class Widget {
  constructor(page) {
    this.page = page;
    this.launcher = page.locator("deskbridge-widget button.launcher");
    this.panel = page.locator("deskbridge-widget .panel");
    this.box = this.panel.locator("textarea").last();
  }

  async open() {
    await this.launcher.click();
    await this.panel.waitFor();
    await this.panel.locator(".hello, .talk").first().waitFor();
  }

  async say(text) {
    await this.box.fill(text);
    await this.box.press("Enter");
  }

  async sees(text) {
    await this.panel.locator(".bubble, .state", { hasText: text }).first().waitFor();
  }

  bubbles() {
    return this.panel.locator(".bubble").allInnerTexts();
  }

  /** Own messages, sent or not. */
  own() {
    return this.panel.locator(".msg.me .bubble").allInnerTexts();
  }
}

/** What the model of the tests is to say: in letters alone, since digits may be somebody's card and are taken out. */
export const spelled = (text) => [...Buffer.from(text).toString("hex")].map((digit) => "abcdefghijklmnop"[Number.parseInt(digit, 16)]).join("");

export { assert };
