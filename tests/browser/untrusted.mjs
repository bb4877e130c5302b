// S48, S49: what others call themselves, their matter and their files, and what a model answers, is text in the console; and
// so is what a page of refusal says. Nothing runs, nothing is fetched.
// Not here: what is said in a conversation (web/console/tests), the widget (markup.mjs).
import { createHmac, randomBytes } from "node:crypto";
import { line, log, signedIn } from "./console.mjs";
import { assert, shoot, stage, until } from "./lib.mjs";
import { NAMES, VECTORS, squeezed } from "./vectors.mjs";

const KEY = "0123456789abcdef0123456789abcdef";
const model = `engine = "openai"\nbase_url = "${process.env.DESKBRIDGE_TEST_OPENAI}"\nmodel = "fake-small"\napi_key = "${process.env.DESKBRIDGE_TEST_OPENAI_KEY}"\nmax_turns = 100\n`;
const ana = '[[technicians]]\nname = "Ana Silva"\nid = "ana"\nemail = "ana@example.com"\nrole = "admin"\ncapacity = 500\npresence = "offline"\n';
/** In one answer. */
const TOGETHER = 5;
/** What the model of the test is to say, without a digit: many in a row may be somebody's card, and are taken out. */
const letters = (text) => [...Buffer.from(text).toString("hex")].map((digit) => "abcdefghijklmnop"[Number.parseInt(digit, 16)]).join("");

await stage({ telegram: false, widget: `identity_key = "${KEY}"`, assistant: model, more: ana, context: { viewport: { width: 1440, height: 900 } } }, async ({ program, context }) => {
  const seen = { dialogs: [], outside: [], blocked: [], faults: [] };
  context.on("dialog", (dialog) => { seen.dialogs.push(dialog.message()); void dialog.dismiss(); });
  context.on("weberror", (error) => seen.faults.push(String(error.error())));
  context.on("request", (request) => { if (!request.url().startsWith(program.url) && !/^(blob|data|about):/.test(request.url())) seen.outside.push(request.url()); });
  context.on("console", (message) => { if (/Content Security Policy|Trusted ?Type/i.test(message.text())) seen.blocked.push(message.text()); });

  /** A person of the site, by the site's word for them. */
  const post = async (path, body, bearer, kind = "application/json") => {
    const headers = { origin: `http://localhost:${program.site}`, "content-type": kind, ...(bearer && { authorization: `Bearer ${bearer}` }) };
    const answer = await fetch(`${program.url}/widget/v1/widget/${path}`, { method: "POST", headers, body: kind === "application/json" ? JSON.stringify(body) : body });
    const found = await answer.text();
    assert.ok(answer.ok, `${path}: ${answer.status} ${found}`);
    const told = JSON.parse(found);
    assert.ok(!told.frames?.some(({ t }) => t === "refused"), `${path}: ${found}`);
    return told;
  };
  let count = 0;
  const person = async (name) => {
    const id = `p${(count += 1)}`;
    const hash = createHmac("sha256", KEY).update(id).digest("hex");
    const { token } = await post("session", { user: { id, hash, name }, language: "en" });
    const c = randomBytes(16).toString("hex");
    let sent = 0;
    return {
      say: (text, files = []) => post("act", { t: "send", c, id: `m-${String((sent += 1)).padStart(8, "0")}`, text, files }, token),
      upload: async (file) => (await post(`uploads?name=${encodeURIComponent(file)}`, `the words of ${id}`, token, "text/plain")).id,
    };
  };

  const desk = await signedIn(program, context, "ana");
  await desk.getByRole("tab", { name: /^All/ }).click();

  // Names and matters.
  for (const vector of NAMES) await (await person(vector)).say(`${vector}\n\nI want to talk to a human`);
  await desk.getByRole("tab", { name: new RegExp(`^All\\s*${NAMES.length}`) }).waitFor();
  const column = async (part) => (await desk.locator(`[role=option] ${part}`).allTextContents()).map(squeezed);
  const expected = NAMES.map(squeezed).sort();
  await until("every name", async () => (await column(".name")).length === NAMES.length);
  assert.deepEqual((await column(".name")).sort(), expected, "names in the list");
  await until("every matter", async () => (await column(".subject")).every((one) => one !== "…"));
  assert.deepEqual((await column(".subject")).sort(), expected, "matters in the list");
  await shoot(desk, "untrusted-list");
  // Where one is open: over it, in its log, on its ticket.
  for (const vector of NAMES.filter((_, n) => n % 9 === 0)) {
    const own = desk.locator("[role=option]").filter({ has: desk.locator(".name", { hasText: vector }) }).first();
    await own.click();
    await desk.locator("header.head h2", { hasText: vector }).waitFor();
    await log(desk).locator(".item[data-side=in]", { hasText: vector }).first().waitFor();
    const ticket = desk.locator("section.card", { has: desk.getByRole("heading", { name: "Ticket", exact: true }) });
    await ticket.getByText(/T-\d{6}/).first().waitFor();
    await until(`the ticket of ${vector}`, async () => squeezed(await ticket.innerText()).includes(squeezed(vector)));
  }
  await shoot(desk, "untrusted-open");

  // Names of files: what is taken out of a name is taken out, the rest is text.
  for (let at = 0; at < NAMES.length; at += 10) {
    const some = NAMES.slice(at, at + 10).map((vector) => `${vector}.txt`);
    const one = await person(`Files ${at}`);
    const ids = [];
    for (const file of some) ids.push(await one.upload(file));
    await one.say("I want to talk to a human", ids);
    await desk.locator("#search").fill(`Files ${at}`);
    await line(desk, `Files ${at}`).first().click();
    // Copied, and so with an address.
    const names = log(desk).locator("a.attached > span");
    await until(`the files of ${at}`, async () => (await names.count()) === some.length);
    const shown = (await names.allTextContents()).map((text) => squeezed(text.replace(/\d+ B$/, "")));
    assert.deepEqual(shown, some.map(squeezed), "names of files");
  }
  await shoot(desk, "untrusted-files");
  await desk.locator("#search").fill("");

  // What a model answers: markup loses what it could do before it is stored, and what is left is text.
  const asker = await person("Asker");
  const mark = (n) => `answer${String(n).padStart(3, "0")}`;
  for (let at = 0; at < VECTORS.length; at += TOGETHER) {
    const some = VECTORS.slice(at, at + TOGETHER).map(({ text }, n) => `${mark(at + n)}: ${text}`);
    await asker.say(`VPN error 691 after my password was changed ECHO:${letters(`${some.join("\n\n")}\n\nend${mark(at)} [1].`)}`);
    if (at === 0) {
      await desk.locator("#search").fill("Asker");
      await line(desk, "Asker").first().click();
    }
    await log(desk).locator(".item[data-author=assistant]", { hasText: `end${mark(at)}` }).waitFor();
  }
  const answers = (await log(desk).locator(".item[data-author=assistant] .bubble").allTextContents()).join("\n");
  for (const n of VECTORS.keys()) assert.ok(answers.includes(mark(n)), mark(n));
  await shoot(desk, "untrusted-answers");

  const found = await desk.evaluate(() => {
    const all = [...document.querySelectorAll("#app *")];
    const odd = all.filter((one) => one.matches("script,iframe,object,embed,style,link,meta,base,video,audio,math,marquee,template,noscript,portal,frameset,applet,picture,slot") || (one.localName === "img" && !one.src.startsWith(`${location.origin}/`)));
    const handlers = all.filter((one) => [...one.attributes].some(({ name }) => /^on/i.test(name) || /^(srcdoc|formaction|ping)$/i.test(name)));
    const links = [...document.querySelectorAll("a[href]")].map((one) => one.href).filter((href) => !/^https?:|^mailto:/.test(href));
    return { odd: odd.map((one) => one.outerHTML.slice(0, 100)), handlers: handlers.map((one) => one.outerHTML.slice(0, 100)), links };
  });
  assert.deepEqual(found, { odd: [], handlers: [], links: [] });

  // What is asked for by address, and is not there or not allowed: nothing of it comes back as a page's own.
  const bare = await context.newPage();
  for (const [n, { text }] of VECTORS.entries()) {
    const word = encodeURIComponent(text.replace(/[\t\n]/g, " "));
    const path = [`/${word}`, `/console/${word}`, `/api/v1/${word}`, `/api/v1/conversations?queue=${word}`, `/widget/v1/${word}`, `/try?site=${word}`, `/console/#${word}`, `/console/#welcome=${word}`][n % 8];
    const answer = await bare.goto(program.url + path).catch((error) => assert.fail(`${path}: ${error}`));
    const kind = answer?.headers()["content-type"] ?? "";
    if (kind.startsWith("text/html")) {
      const policy = answer.headers()["content-security-policy"] ?? "";
      assert.ok(policy.includes("default-src 'none'") && !policy.includes("unsafe-inline"), `${path}: ${policy}`);
    }
    const inline = await bare.evaluate(() => [...document.querySelectorAll("script:not([src]), [onerror], [onload], img[src='x'], iframe, object, embed, base")].map((one) => one.outerHTML));
    assert.deepEqual(inline, [], path);
  }
  await bare.close();
  assert.deepEqual(seen, { dialogs: [], outside: [], blocked: [], faults: [] });
});
console.log("ok");
