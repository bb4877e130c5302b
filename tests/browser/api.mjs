// Everything that a page can ask of the widget, and everything that it is told; also before the widget is there.
import { createHmac } from "node:crypto";
import { assert, shoot, stage, until, Widget } from "./lib.mjs";

const KEY = "0123456789abcdef0123456789abcdef";
const hash = (id) => createHmac("sha256", KEY).update(id).digest("hex");
const EVENTS = ["ready", "open", "close", "unread", "message:sent", "message:received", "typing", "status", "handover", "ticket:created",
  "ticket:updated", "csat:submitted", "connection", "error"];
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FAAhKDveksOjmAAAAAElFTkSuQmCC";

// A page whose policy allows nothing inline: the queue, then a script of its own that calls before anything else is there.
const site = {
  head: "",
  script: `window.heard = [];
for (const name of ${JSON.stringify(EVENTS)}) {
  addEventListener("deskbridge:" + name, (event) => window.heard.push([name, event.detail]));
}
window.early = { isQueue: Array.isArray(window.$deskbridge.q) };
$deskbridge.setLocale("de");
$deskbridge.setTheme("dark");
$deskbridge.setContext({ asset_tag: "PC-77" });
$deskbridge.addTag("portal");
$deskbridge.on("open", () => (window.early.opened = true)).then((off) => (window.early.off = off));
$deskbridge.nonsense().then(() => (window.early.nonsense = "done"), (why) => (window.early.nonsense = String(why)));
$deskbridge.open().then(() => (window.early.done = true));`,
};

const heard = (page, name, fits = () => true) => until(`the event ${name}`, async () => {
  const all = await page.evaluate((wanted) => window.heard.filter(([one]) => one === wanted).map(([, detail]) => detail), name);
  return all.some(fits) ? all : undefined;
});
const call = (page, name, ...args) => page.evaluate(([name, args]) => window.$deskbridge[name](...args), [name, args]);

await stage({ widget: `identity_key = "${KEY}"`, site }, async ({ telegram, program, site, open }) => {
  site.head = `<script src="${program.url}/widget/v1/queue.js"></script><script src="/page.js"></script>`;
  const page = await open();
  const widget = new Widget(page);
  const desk = program.desk();

  // Before it was there: everything came true, in order, and what does not exist is refused.
  await page.waitForFunction(() => window.early.done && window.early.nonsense && window.early.off);
  assert.deepEqual(await page.evaluate(() => [window.early.isQueue, window.early.opened]), [true, true]);
  assert.match(await page.evaluate(() => window.early.nonsense), /nonsense is not a function/);
  assert.equal(await page.evaluate(() => typeof window.early.off), "function");
  await widget.panel.waitFor();
  assert.equal(await widget.panel.getAttribute("data-theme"), "dark");
  await widget.panel.getByRole("button", { name: "Schließen" }).waitFor();
  await heard(page, "ready");
  await heard(page, "open");
  await heard(page, "connection", (state) => state === "online");

  // Seen and not seen.
  await call(page, "setLocale", "en");
  await call(page, "setTheme", "light");
  await until("light", async () => (await widget.panel.getAttribute("data-theme")) === "light");
  await call(page, "close");
  await widget.panel.waitFor({ state: "hidden" });
  await heard(page, "close");
  await call(page, "toggle");
  await widget.panel.waitFor();
  await call(page, "toggle");
  await widget.panel.waitFor({ state: "hidden" });
  await call(page, "hide");
  await widget.launcher.waitFor({ state: "hidden" });
  await call(page, "show");
  await widget.launcher.waitFor();
  // `on` gives what takes it off again.
  const counted = await page.evaluate(async () => {
    let count = 0;
    const off = $deskbridge.on("open", () => (count += 1));
    await $deskbridge.open();
    off();
    await $deskbridge.close();
    await $deskbridge.open();
    return count;
  });
  assert.equal(counted, 1);

  // Who it is: a wrong hash is nobody, a right one is that person.
  const wrong = await page.evaluate((hash) => $deskbridge.setUser("maria", { identifier_hash: hash, name: "Not Maria" }).then(() => "", (why) => String(why)), hash("bob"));
  assert.match(wrong, /does not hold/);
  await heard(page, "error", (problem) => problem.code === "not-vouched" && problem.status === 401);
  await call(page, "setUser", "maria", { identifier_hash: hash("maria"), name: "Maria Costa", email: "maria@example.com" });

  // A new conversation with what was known before: the fact, the tag, what was tracked.
  await call(page, "setContext", { app_version: "7.1", gone: "never told" });
  await call(page, "unsetContext", "gone");
  await call(page, "track", "opened_article", { slug: "vpn-691" });
  await call(page, "newConversation", { topic: "I want to talk to a human, please" });
  const topic = await telegram.topic();
  await telegram.sees(topic, "Maria Costa");
  for (const fact of ["asset_tag: PC-77", "app_version: 7.1", "opened_article: slug=vpn-691"]) await telegram.sees(topic, fact);
  await heard(page, "message:sent", ({ text }) => text === "I want to talk to a human, please");
  await heard(page, "status", (state) => state === "waiting");
  const [created] = await heard(page, "ticket:created", ({ id }) => /^T-\d+$/.test(id));
  assert.equal(created.url, `${site.url}#deskbridge=${created.id}`);
  await until("the page's tag", async () => JSON.stringify(await desk("GET", "/conversations/1")).includes("web.portal"));
  await call(page, "addTag", "second");
  await until("another tag", async () => JSON.stringify(await desk("GET", "/conversations/1")).includes("web.second"));
  await call(page, "removeTag", "portal");
  await until("one tag less", async () => !JSON.stringify(await desk("GET", "/conversations/1")).includes("web.portal"));
  await telegram.accept(topic);
  await heard(page, "handover", ({ technician }) => technician === "Bob");
  await heard(page, "status", (state) => state === "human");
  await telegram.reply(topic, "Hello Maria");
  await heard(page, "message:received", ({ text, from }) => text === "Hello Maria" && from === "technician");

  // On a conversation that goes on: what is new, what is different, what is gone; and nothing twice.
  await call(page, "setConversationContext", { order: "4711" });
  await call(page, "setContext", { app_version: "7.2" });
  await call(page, "unsetContext", "asset_tag");
  await call(page, "send", "it happens again");
  const again = await telegram.sees(topic, "it happens again");
  for (const fact of ["order: 4711", "app_version: 7.2", "asset_tag: –"]) assert.ok(again.text.includes(fact), `${fact}: ${again.text}`);
  await call(page, "send", "and once more");
  const more = await telegram.sees(topic, "and once more");
  assert.ok(!more.text.includes("📍"), `told twice: ${more.text}`);
  // Not even after the page was loaded anew and says the same.
  await page.reload();
  await page.waitForFunction(() => window.early.done);
  await call(page, "setUser", "maria", { identifier_hash: hash("maria") });
  await call(page, "setLocale", "en");
  await call(page, "setContext", { app_version: "7.2" });
  await call(page, "unsetContext", "asset_tag");
  await call(page, "openRequest", created.id);
  await widget.sees("Hello Maria");
  await call(page, "setConversationContext", { order: "4711" });
  await call(page, "send", "after a reload");
  const reloaded = await telegram.sees(topic, "after a reload");
  assert.ok(!reloaded.text.includes("📍"), `told twice: ${reloaded.text}`);

  // A draft is shown, and sent by nobody but the person.
  await call(page, "send", "only a draft", { draft: true });
  await until("the draft", async () => (await widget.box.inputValue()) === "only a draft");
  assert.ok(!(await widget.own()).includes("only a draft"));
  await widget.box.fill("");
  await page.evaluate(async (bytes) => {
    const picture = new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], "screen.png", { type: "image/png" });
    await $deskbridge.attachment(picture);
  }, PNG);
  await until("the picture in the topic", async () => (await telegram.messages(topic)).some((message) => message.photo));
  await widget.panel.locator("img.shot").waitFor();

  // Typing in the console, and ✓✓ for what was read there; what nobody has read is only sent.
  const own = widget.panel.locator(".msg.me").last();
  await own.getByText("Sent ✓").waitFor();
  await until("typing", async () => {
    await desk("POST", "/conversations/1/attention", { doing: "replying" });
    return (await page.evaluate(() => window.heard)).some(([name, detail]) => name === "typing" && detail.name === "Bob");
  });
  await own.getByText("Seen ✓✓").waitFor();
  await shoot(page, "seen");

  // The other requests, and none that is not there.
  await call(page, "open", "home");
  await widget.panel.locator(".row").first().waitFor();
  await call(page, "openRequest", created.id.toLowerCase());
  await widget.sees("Hello Maria");
  assert.match(await page.evaluate(() => $deskbridge.openRequest("T-999999").then(() => "", String)), /no request T-999999/);

  // While it is closed: unread; then resolved, rated, the ticket with it.
  await call(page, "close");
  await telegram.reply(topic, "One last thing");
  await heard(page, "unread", ({ count }) => count === 1);
  await call(page, "open");
  await heard(page, "unread", ({ count }) => count === 0);
  await telegram.reply(topic, "/resolve");
  await heard(page, "status", (state) => state === "resolved");
  await heard(page, "ticket:updated", ({ id, status, url }) => id === created.id && status === "resolved" && url === created.url);
  await widget.panel.getByRole("button", { name: "5: Great" }).click();
  await heard(page, "csat:submitted", ({ score }) => score === 5);

  // The address that the page was told of opens the request.
  const later = await page.context().newPage();
  await later.goto("about:blank");
  site.script += `\n$deskbridge.setUser("maria", { identifier_hash: "${hash("maria")}" });`;
  await later.goto(created.url);
  await new Widget(later).panel.locator("#title").waitFor();
  await new Widget(later).sees("Hello Maria");
  await later.close();

  // The next person at this browser: nothing of the one before, not on the screen, not in storage, not in what is sent.
  await call(page, "setContext", { secret: "of Maria" });
  await call(page, "setConversationContext", { secret_here: "of Maria" });
  await call(page, "track", "secret_event", { of: "Maria" });
  await call(page, "send", "half a thought of Maria", { draft: true });
  await call(page, "logout");
  await widget.panel.locator(".hello").waitFor();
  await until("nobody's requests", async () => (await widget.panel.locator(".row").count()) === 0);
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
  assert.ok(!/Maria|PC-77|order|7\.2/.test(kept), kept);
  await call(page, "send", "I am somebody else and want to talk to a human");
  const other = await until("another topic", async () => {
    const latest = await telegram.topic();
    return latest !== topic && latest;
  });
  const first = await telegram.sees(other, "somebody else");
  assert.ok(!/📍|Maria/.test(first.text), first.text);
  assert.ok(!(await telegram.messages(other)).some((message) => /of Maria|PC-77|4711|web\.second/.test(message.text ?? "")));
  assert.ok(!(await widget.own()).some((text) => text.includes("Maria")));

  // And gone.
  await call(page, "destroy");
  assert.deepEqual(await page.evaluate(() => [typeof window.$deskbridge, document.querySelectorAll("deskbridge-widget").length]), ["undefined", 0]);
});

// Asked who they are first: what the page gave meanwhile is there afterwards.
await stage({ widget: 'ask = ["name"]' }, async ({ telegram, open }) => {
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  await widget.say("I want to talk to a human");
  await widget.panel.getByLabel("Your name").waitFor();
  await call(page, "send", "the page's own words");
  await page.evaluate(async (bytes) => {
    await $deskbridge.attachment(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], "screen.png", { type: "image/png" }));
    await $deskbridge.send("a draft of the page", { draft: true });
  }, PNG);
  await widget.panel.getByLabel("Your name").fill("Maria Costa");
  await widget.panel.getByRole("button", { name: "Continue" }).click();
  await widget.sees("the page's own words");
  await widget.panel.locator("img.shot").waitFor();
  assert.equal(await widget.box.inputValue(), "a draft of the page");
  assert.deepEqual(await widget.own(), ["I want to talk to a human", "the page's own words"], "in their order");
  const topic = await telegram.topic();
  await telegram.sees(topic, "Maria Costa");
  await telegram.sees(topic, "the page's own words");
  await until("the picture in the topic", async () => (await telegram.messages(topic)).some((message) => message.photo));
});

// Nobody is there: the page is told, and may say so.
await stage({ telegram: false, more: '[queues.default]\nhours = ["Sun 03:00-03:01"]\n' }, async ({ open }) => {
  const page = await open();
  await page.evaluate(() => {
    window.heard = [];
    window.$deskbridge.on("status", (detail) => window.heard.push(["status", detail]));
  });
  await new Widget(page).open();
  await heard(page, "status", (state) => state === "offline");
});
console.log("ok");
