// The console in a real browser: from the first admin's link to a whole conversation with somebody on Telegram, by
// keyboard, without a reload, through a kill of the server, in light and dark, on a phone.
// Not here: single routes (tests/it/api).

import { createHmac } from "node:crypto";
import { VECTORS, squeezed } from "../../../tests/browser/vectors.mjs";
import { Bridge, Browser, DESK, act, base, bothThemes as bothThemesOf, count, inTopic, maria, must, sees, shot, tell, until } from "./rig.mjs";

const PASSWORD = "correct horse battery";
/** What axe has found, on every state and in both themes; told all at once. */
const complaints = [];
const step = (name) => console.log(`· ${name}`);

const bridge = new Bridge();
let browser;
let page;

async function bothThemes(what) {
  complaints.push(...(await bothThemesOf(browser, page, what)));
}

/** RFC 6238, so many steps from now. */
function totp(key, from) {
  const bits = [...key.replace(/\s/g, "")].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30_000) + from));
  const hash = createHmac("sha1", secret).update(counter).digest();
  return String((hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const log = () => page.getByRole("log", { name: "Messages" });
const shows = (words) => log().getByText(words).first().waitFor();
const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.slice(0, 40) || "");

const holds = (words) => until(`the composer holds: ${words}`, async () => (await page.locator("#composer").inputValue()) === words);

async function story() {
  step("nobody is signed in");
  await page.goto(`${base}/`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  must(page.url() === `${base}/console/`, "/ leads to the console");
  await bothThemes("sign-in");

  step("the first admin, by the link that serve printed");
  const link = await bridge.link();
  await page.goto(link);
  await page.getByLabel(/Your name/).fill("Ada Byron");
  must(!page.url().includes("welcome"), "the secret leaves the address bar");
  await page.getByLabel("E-mail address").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Once more").fill(PASSWORD);
  await bothThemes("welcome");
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("region", { name: "Chat list" }).waitFor();
  const cookies = await browser.context.cookies();
  const cookie = cookies.find((one) => one.name === "__Host-deskbridge");
  must(cookie?.secure && cookie.httpOnly && cookie.sameSite === "Strict", `a strict cookie, also on plain loopback: ${JSON.stringify(cookies.map((one) => one.name))}`);
  await bothThemes("empty");

  step("signing out and in again, and the link is worth nothing");
  await page.getByRole("button", { name: /account and preferences/ }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.goto("about:blank");
  await page.goto(link);
  await page.getByText("worth nothing any more").waitFor();
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("E-mail address").fill("ada@example.com");
  await page.getByLabel("Password").fill("wrong wrong wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "wrong" }).waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Chat list" }).waitFor();

  step("a second factor: set up by its key, asked for at the next sign-in, and a recovery code");
  await page.getByRole("button", { name: /account and preferences/ }).click();
  await page.getByRole("button", { name: "Second factor" }).click();
  await page.getByLabel("Your password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("img", { name: /QR code/ }).waitFor();
  await bothThemes("second-factor");
  const key = await page.locator("code.key").innerText();
  // The codes of the standard; what is done within one step must not take the same one twice.
  await page.getByLabel("The code that it shows").fill(totp(key, 0));
  await page.getByRole("button", { name: "Turn on" }).click();
  await page.getByText("It is on.").waitFor();
  const recovery = await page.locator(".codes code").first().innerText();
  await bothThemes("recovery-codes");
  await page.getByRole("button", { name: "I have kept them" }).click();
  for (const code of [totp(key, 1), recovery]) {
    await page.getByRole("button", { name: /account and preferences/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("E-mail address").fill("ada@example.com");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByLabel("Code").waitFor();
    if (code === recovery) await bothThemes("code");
    await page.getByLabel("Code").fill(code);
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Chat list" }).waitFor();
  }

  // From here on nothing is loaded again.
  await page.evaluate(() => (window.neverReloaded = true));

  step("somebody writes on Telegram, and stands in the list without a reload");
  await maria("My vpn says error 691, I want to talk to a human");
  await page.getByRole("tab", { name: /Unassigned\s*1/ }).waitFor();
  await until("the topic", async () => (await act("topics", { chat: DESK }))[0]);

  step("keyboard only: view, conversation, accept, reply");
  // Two letters in a row: after a pause, as on a machine that was away, the first one is a key of its own.
  await until("Unassigned by g and u", async () => {
    await page.locator("body").press("g");
    await page.keyboard.press("u");
    return (await page.getByRole("tab", { name: /^Unassigned/, selected: true }).count()) === 1;
  });
  await page.locator("[role=option]", { hasText: "Maria" }).waitFor();
  await page.keyboard.press("j");
  await shows("My vpn says error 691");
  await page.keyboard.press("a");
  await page.getByRole("tab", { name: /Mine\s*1/ }).waitFor();
  await sees("has joined");
  await page.keyboard.press("r");
  await until("focus in the composer", async () => (await focused()) === "composer");
  await page.keyboard.type("Hello **Maria**, can you try the portal?");
  await page.keyboard.press("Control+Enter");
  await shows("can you try the portal");
  await page.getByText(/Goes out in \d s/).waitFor();
  must((await count("try the portal")) === 0, "held for the undo window");
  await sees("can you try the portal");
  await page.locator(".fate [aria-label=sent], .fate [aria-label=delivered]").first().waitFor();

  step("undo: it never leaves, and the words are back");
  await page.keyboard.type("Your password is hunter2");
  await page.keyboard.press("Enter");
  await page.getByText(/Goes out in \d s/).waitFor();
  await page.locator("#composer").press("Control+z");
  await until("the words are back", async () => (await page.locator("#composer").inputValue()).includes("hunter2"));
  await page.locator("#composer").fill("");

  step("a note stays inside; drafts of reply and note are two");
  await page.locator("#composer").fill("half a reply");
  await page.keyboard.press("Alt+p");
  await until("the note is empty", async () => (await page.locator("#composer").inputValue()) === "");
  await page.keyboard.type("@bo");
  await page.getByRole("option", { name: /@bob/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.type("canary-note: she is the CEO");
  await bothThemes("note");
  await page.keyboard.press("Control+Enter");
  await page.locator("[data-audience=internal]", { hasText: "canary-note" }).waitFor();
  await page.keyboard.press("Alt+l");
  await holds("half a reply");

  step("what colleagues write in Telegram is there, too");
  const topic = (await act("topics", { chat: DESK }))[0];
  const thread = topic.message_thread_id ?? topic.id;
  await inTopic(thread, "RADIUS again, known issue");
  await page.locator("[data-audience=internal]", { hasText: "RADIUS again" }).waitFor();
  await sees("can you try the portal", thread);
  await maria("It works on *my* phone <b>only</b>");
  await shows("phone <b>only</b>");

  step("the assistance area: a suggestion, inserted by Tab");
  await page.locator("#composer").fill("");
  await page.locator("#composer").press("Escape");
  await page.keyboard.press("g");
  await page.getByText("Suggested reply").waitFor();
  await page.keyboard.press("r");
  await page.keyboard.press("Tab");
  await until("inserted", async () => (await page.locator("#composer").inputValue()).length > 20);
  await page.locator("#composer").fill("");
  await page.getByRole("heading", { name: /Chat summary/ }).waitFor();
  await page.locator(".summary", { hasText: /intent/i }).waitFor();
  await bothThemes("workspace");

  step("a file by paste");
  await page.locator("#composer").evaluate((area) => {
    const carried = new DataTransfer();
    carried.items.add(new File(["hello"], "log.txt", { type: "text/plain" }));
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }));
  });
  await page.getByRole("list", { name: "Attached files" }).getByText("log.txt").waitFor();
  await page.locator("#composer").fill("The log you asked for");
  await page.locator("#composer").press("Control+Enter");
  await until("the file on Telegram", async () => (await act("messages", { chat: 100 })).some((one) => one.document?.file_name === "log.txt"));

  step("canned replies by /");
  await page.evaluate(async () => {
    const me = await (await fetch("/api/v1/me")).json();
    await fetch("/api/v1/canned", { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": me.data.csrf }, body: JSON.stringify({ shortcut: "bye", text: "Bye {{requester}}, yours {{technician}}", shared: true }) });
  });
  await page.locator("#composer").fill("/by");
  await page.getByRole("option", { name: /\/bye/ }).waitFor();
  await page.locator("#composer").press("Enter");
  await holds("Bye Maria, yours Ada Byron");
  await page.locator("#composer").fill("");

  step("palette, keys, search");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search or run" }).fill("on duty");
  await bothThemes("palette");
  await page.keyboard.press("Enter");
  await until("on duty", async () => (await page.getByRole("combobox", { name: "Your presence" }).inputValue()) === "available");
  await page.locator("#composer").press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await bothThemes("keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("f");
  await page.keyboard.type("691");
  await page.getByRole("heading", { name: "Messages" }).waitFor();
  await bothThemes("search");
  await page.keyboard.press("Escape");

  step("what opens above everything");
  await page.locator("#composer").press("Escape");
  for (const [key, name] of [["t", "Transfer"], ["i", "Invite"], ["s", "Snooze"], ["l", "Labels"], ["p", "Priority"]]) {
    await page.locator("#conversation").focus();
    await page.keyboard.press(key);
    await page.getByRole("dialog", { name }).waitFor();
    await bothThemes(name.toLowerCase());
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name }).waitFor({ state: "detached" });
  }
  await page.getByRole("button", { name: /account and preferences/ }).click();
  await bothThemes("menu");
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByRole("dialog", { name: "Change password" }).waitFor();
  await bothThemes("password");
  await page.keyboard.press("Escape");

  step("a colleague: invited by a link, seen looking and writing, handed the conversation");
  await colleague();

  step("killed and started again: live again, nothing missed, nothing twice");
  await bridge.kill();
  await page.getByText("Connection lost").waitFor();
  await bothThemes("connection-lost");
  await maria("canary-while-away");
  await bridge.start();
  await shows("canary-while-away");
  await page.getByText("Connection lost").waitFor({ state: "detached" });
  await maria("canary-after");
  await shows("canary-after");
  for (const words of ["canary-while-away", "canary-after", "canary-note", "try the portal?"]) {
    must((await log().locator(".bubble", { hasText: words }).count()) === 1, `once: ${words}`);
  }
  await page.locator("#composer").fill("Here again");
  await page.locator("#composer").press("Control+Enter");
  await sees("Here again");

  step("whatever people write is text");
  await vectors();

  step("settings");
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("navigation", { name: "Settings" }).waitFor();
  for (const sheet of ["Queues", "Technicians", "Rules", "Canned replies", "Channels", "API tokens", "Audit log"]) {
    await page.getByRole("navigation", { name: "Settings" }).getByRole("button", { name: sheet }).click();
    await page.getByRole("heading", { name: sheet, level: 2 }).waitFor();
    await bothThemes(`settings-${sheet.toLowerCase().replaceAll(" ", "-")}`);
  }
  await page.getByRole("button", { name: "Chat", exact: true }).click();

  step("a phone");
  await page.setViewportSize({ width: 390, height: 844 });
  await bothThemes("phone-conversation");
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  must((await wide()) <= 0, "nothing sticks out of a phone");
  await page.getByRole("button", { name: "Summary, ticket and requester" }).click();
  await bothThemes("phone-context");
  const close = page.getByRole("button", { name: "Close the panel" });
  if (await close.isVisible()) await close.click();
  await page.getByRole("button", { name: "Back to the list" }).click();
  await page.locator("[role=option]").first().waitFor();
  await bothThemes("phone-list");
  must((await wide()) <= 0, "nothing sticks out of a phone");
  await page.setViewportSize({ width: 1360, height: 860 });

  step("hand back, resolve, closed");
  await page.getByRole("option", { name: /Maria/ }).first().click();
  await page.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "Resolve" }).click();
  await page.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "Reopen" }).waitFor();
  await page.getByRole("tab", { name: "Closed" }).click();
  await page.locator("[role=option]", { hasText: "Maria" }).waitFor();

  step("the requester is erased");
  await page.locator("[role=option]", { hasText: "Maria" }).first().click();
  await shows("canary-after");
  await page.getByRole("button", { name: "Erase this person…" }).click();
  await page.getByRole("heading", { name: /Erase .*Maria/ }).waitFor();
  await bothThemes("erase");
  const really = page.getByRole("button", { name: "Erase for good" });
  must(await really.isDisabled(), "nobody is erased by a slip");
  await page.getByLabel(/To confirm/).fill("erase");
  await page.keyboard.press("Enter");
  await page.getByText(/^Erased, with/).waitFor();
  await page.getByRole("heading", { name: /Erased requester/ }).waitFor();
  await log().getByText("canary-after").waitFor({ state: "detached" });
  must((await page.getByRole("button", { name: "Erase this person…" }).count()) === 0, "nobody is left to erase");
  must(!(await page.locator("body").innerText()).includes("canary-"), "nothing of hers is on the page");
  must((await act("messages", { chat: 100 })).every((one) => !/canary-note|hunter2|RADIUS/.test(one.text ?? "")), "nothing internal reached her");
  must(await page.evaluate(() => window.neverReloaded === true), "no reload at any time");
  must(complaints.length === 0, `axe is content:\n${complaints.join("\n")}`);
  must(browser.faults.length === 0, `no fault: ${browser.faults.join("\n")}`);
  must(browser.outside.length === 0, `nothing from elsewhere: ${browser.outside.join("\n")}`);
}

async function colleague() {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("navigation", { name: "Settings" }).getByRole("button", { name: "Technicians" }).click();
  await page.getByRole("button", { name: "One-time link for Bob" }).click();
  const link = await page.locator(".secret code").innerText();
  await page.getByRole("button", { name: "Chat", exact: true }).click();
  const other = await Browser.open();
  try {
    const bob = await other.context.newPage();
    await bob.goto(link);
    await bob.getByLabel("E-mail address").fill("bob@example.com");
    await bob.getByLabel("Password", { exact: true }).fill("a quite different phrase");
    await bob.getByLabel("Once more").fill("a quite different phrase");
    await bob.getByRole("button", { name: "Start" }).click();
    await bob.getByRole("tab", { name: /^All/ }).click();
    await bob.getByRole("button", { name: "Settings" }).click();
    must((await bob.getByRole("navigation", { name: "Settings" }).getByRole("button").allInnerTexts()).join() === "Canned replies", "of the settings, a technician has what is theirs");
    await bob.getByRole("button", { name: "Chat", exact: true }).click();
    await bob.locator("[role=option]", { hasText: "Maria" }).click();
    await page.getByText("Bob is viewing").waitFor();
    await bob.locator("#composer").pressSequentially("mine");
    await page.getByText("Bob is writing a reply").waitFor();
    await bob.getByText("Ada Byron is viewing").waitFor();
    await shot(page, "two-technicians");
    // It is not his: nothing leaves, and he is told why.
    await bob.locator("#composer").press("Control+Enter");
    await bob.getByRole("alert").filter({ hasText: "owns this conversation" }).waitFor();
    must((await bob.locator("#composer").inputValue()) === "mine", "what was refused is still there");
    await bob.locator("#composer").fill("");
    await page.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "Transfer" }).click();
    await page.getByRole("dialog", { name: "Transfer" }).getByRole("button", { name: /Bob/ }).click();
    await bob.getByRole("tab", { name: /Mine\s*1/ }).waitFor();
    await bob.locator("#composer").press("Escape");
    await bob.keyboard.press("a");
    await page.locator(".state", { hasText: "Bob has it" }).waitFor();
    await page.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "Take over" }).click();
    await page.locator(".state", { hasText: "Ada Byron has it" }).waitFor();
    await bob.locator(".state", { hasText: "Ada Byron has it" }).waitFor();
    await lostFactor(bob);
    must(other.faults.length === 0, `no fault: ${other.faults.join("\n")}`);
  } finally {
    await other.close();
  }
}

/** He has lost his phone, and asks her to take the second factor away; his session ends, his password lets him in. */
async function lostFactor(bob) {
  const begun = await bob.evaluate(ask, ["POST", "/session/factor", { password: "a quite different phrase" }]);
  await bob.evaluate(ask, ["PUT", "/session/factor", { code: totp(begun.secret, 0) }]);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("navigation", { name: "Settings" }).getByRole("button", { name: "Technicians" }).click();
  const reset = page.getByRole("button", { name: "Reset second factor of Bob" });
  await reset.click();
  const question = page.getByRole("group", { name: "Reset the second factor of Bob?" });
  await until("the way out has the focus", async () => (await focused()) === "Cancel");
  await bothThemes("reset-factor");
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "detached" });
  await until("the focus is back", async () => (await focused()) === "Reset second factor");
  must((await bob.evaluate(ask, ["GET", "/session/factor"])).enabled, "nothing is taken by opening a question");
  await page.keyboard.press("Enter");
  await question.getByRole("button", { name: "Reset it" }).click();
  await page.getByText("The second factor is reset").waitFor();
  await reset.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Chat", exact: true }).click();
  await bob.reload();
  await bob.getByRole("heading", { name: "Sign in" }).waitFor();
  await bob.getByLabel("E-mail address").fill("bob@example.com");
  await bob.getByLabel("Password").fill("a quite different phrase");
  await bob.keyboard.press("Enter");
  await bob.getByRole("region", { name: "Chat list" }).waitFor();
}

/** A call of the API as the page makes it. */
async function ask([method, path, body]) {
  const me = await (await fetch("/api/v1/me")).json();
  const headers = { "content-type": "application/json", "x-csrf-token": me.data.csrf };
  const answer = await fetch(`/api/v1${path}`, body ? { method, headers, body: JSON.stringify(body) } : { method });
  const found = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(found));
  return found.data;
}

/** What could run if it were taken for more than text (S48, S49): each of them, shown as the text that it is. */
async function vectors() {
  const [SMALL, LARGE] = [12, 30];
  const batches = (size) => Array.from({ length: Math.ceil(VECTORS.length / size) }, (_, n) => VECTORS.slice(n * size, (n + 1) * size));
  // Many to a message, each on a line of its own: what is looked at is the page, not the platform's pace.
  const said = batches(SMALL).map((some, n) => `vector-batch-${n}:\n\n${some.map(({ text }) => text).join("\n\n")}`);
  for (const text of said) await maria(text);
  // What comes from Telegram is plain text; a note is Markdown as it was written.
  const notes = batches(LARGE);
  await page.evaluate(async (texts) => {
    const me = await (await fetch("/api/v1/me")).json();
    const headers = { "content-type": "application/json", "x-csrf-token": me.data.csrf };
    for (const text of texts) {
      const answer = await fetch("/api/v1/conversations/1/notes", { method: "POST", headers, body: JSON.stringify({ text }) });
      if (answer.status !== 201) throw new Error(await answer.text());
    }
  }, notes.map((some, n) => `note-batch-${n}:\n\n${some.map(({ text }) => text).join("\n\n")}`));
  // Every batch, not the first: what has not come yet would be looked at as if it were harmless.
  for (const n of notes.keys()) await shows(`note-batch-${n}:`);
  for (const n of said.keys()) await shows(`vector-batch-${n}:`);
  const shown = (side) => log().locator(`.item${side} .bubble .md`).evaluateAll((all) => all.map((one) => [...one.children].map((part) => part.textContent)));
  const plain = (await shown("[data-side=in]")).map((parts) => squeezed(parts.join("")));
  for (const text of said) must(plain.includes(squeezed(text)), `shown as it was written: ${text}`);
  // A paragraph each; of what Markdown has its own words for, what is to be read is there, or all of it as it was written.
  const words = (text) => squeezed(text).replace(/[`*_~]/g, "");
  const marked = await shown("[data-audience=internal]");
  for (const [n, some] of notes.entries()) {
    const parts = marked.find(([first]) => first === `note-batch-${n}:`)?.slice(1) ?? [];
    must(parts.length === some.length, `a paragraph for each of note-batch-${n}: ${parts.length}`);
    for (const [at, { text, read }] of some.entries()) {
      const found = words(parts[at]);
      must(found.includes(words(read)) || found.includes(words(text)), `shown as text: ${text}: ${found}`);
    }
  }
  const found = await page.evaluate(() => {
    const area = document.querySelector("[role=log]");
    const odd = [...area.querySelectorAll("script,iframe,object,embed,svg[onload],style,link,meta,base,form,video,audio,math,marquee,input,template,noscript,img,picture,portal,slot,area,frameset,applet,dialog")];
    const handlers = [...area.querySelectorAll("*")].filter((one) => [...one.attributes].some((attribute) => /^on/i.test(attribute.name) || /^(style|srcdoc|formaction|ping|srcset|popover)$/i.test(attribute.name)));
    const links = [...area.querySelectorAll("a[href]")].map((one) => one.href).filter((href) => !/^https?:|^mailto:/.test(href));
    const unsafe = [...area.querySelectorAll("a[target]")].filter((one) => !/noopener/.test(one.rel));
    return { odd: odd.map((one) => one.outerHTML.slice(0, 100)), handlers: handlers.length, links, unsafe: unsafe.length };
  });
  must(found.odd.length === 0 && found.handlers === 0 && found.links.length === 0 && found.unsafe === 0, JSON.stringify(found));
  const links = await log().locator("[data-audience=internal] a[href]").count();
  must(links > 0, "a link to the web is one, in a note");
}

await tell("console", bridge, complaints, async (opened, first) => {
  browser = opened;
  page = first;
  await story();
});
