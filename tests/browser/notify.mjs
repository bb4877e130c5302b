// A notification on the desktop and a sound, when somebody comes while nobody looks; each can be turned off, and a press on
// the notification leads to the conversation. What the system would show and play is written down instead.
import { asks, line, signedIn } from "./console.mjs";
import { assert, stage, until } from "./lib.mjs";

const more = '[[technicians]]\nname = "Ana Silva"\nid = "ana"\nemail = "ana@example.com"\nrole = "admin"\ncapacity = 100\npresence = "offline"\n';

/** In the page, before anything of ours runs. */
const instead = () => {
  window.shown = [];
  window.tones = 0;
  window.looked = 0;
  window.away = false;
  window.permission = "default";
  window.Notification = class {
    static get permission() { return window.permission; }
    static requestPermission() { return Promise.resolve((window.permission = window.answer ?? "granted")); }
    constructor(title, options) { Object.assign(this, { title, ...options }); window.shown.push(this); }
    close() { this.closed = true; }
  };
  const parameter = () => ({ value: 0, setValueAtTime() {}, exponentialRampToValueAtTime() {} });
  window.AudioContext = class {
    state = "running";
    currentTime = 0;
    destination = {};
    resume() { return Promise.resolve(); }
    createOscillator() { return { frequency: parameter(), connect: (to) => to, start() { window.tones += 1; }, stop() {} }; }
    createGain() { return { gain: parameter(), connect: (to) => to }; }
  };
  window.focus = () => (window.looked += 1);
  Object.defineProperty(document, "visibilityState", { get: () => (window.away ? "hidden" : "visible") });
};

await stage({ more, context: { viewport: { width: 1280, height: 800 } } }, async ({ program, telegram, context }) => {
  await context.addInitScript(instead);
  const desk = await signedIn(program, context, "ana");
  const away = (is) => desk.evaluate((to) => { window.away = to; document.dispatchEvent(new Event("visibilitychange")); }, is);
  const shown = () => desk.evaluate(() => window.shown.map(({ title, body, tag }) => ({ title, body, tag })));
  const tones = () => desk.evaluate(() => window.tones);
  const comes = async (id, name) => {
    await asks(telegram, id, name, "the vpn says error 691, I want to talk to a human");
    await line(desk, name).waitFor();
    // It waits for somebody, and that is what is told.
    await until(`${name} waits`, async () => (await line(desk, name).getAttribute("data-state")) !== "assisting");
    await line(desk, name).locator(".wait").waitFor();
  };
  const bell = desk.getByRole("button", { name: /^Desktop notifications/ });
  await desk.getByRole("tab", { name: /^All/ }).click();

  // Who says no is not asked for more, and nothing is shown; the sound is on unless it is turned off.
  await desk.evaluate(() => (window.answer = "denied"));
  await bell.click();
  await until("still off", async () => (await bell.getAttribute("aria-pressed")) === "false" && (await desk.evaluate(() => window.permission)) === "denied");
  await away(true);
  await comes(301, "Li Wei");
  await until("two notes", async () => (await tones()) === 2);
  assert.deepEqual(await shown(), []);

  // Allowed: one notification, and it leads there.
  await desk.evaluate(() => (window.answer = "granted"));
  await bell.click();
  await until("on", async () => (await bell.getAttribute("aria-pressed")) === "true");
  await comes(302, "Tom Ford");
  const [told] = await until("a notification", async () => ((await shown()).length > 0 ? shown() : null));
  assert.match(told.title, /^(New chat from|Offered to you:) Tom Ford, .*691/);
  assert.match(told.body, /^#\d+ · telegram$/);
  assert.match(told.tag, /^deskbridge-\d+$/);
  await until("two notes more", async () => (await tones()) === 4);
  await away(false);
  await desk.evaluate(() => window.shown[0].onclick());
  await desk.getByRole("heading", { name: /Tom Ford/ }).waitFor();
  assert.deepEqual(await desk.evaluate(() => [window.looked, window.shown[0].closed]), [1, true]);

  // Somebody who looks is told on the page alone.
  await comes(303, "Joao Pires");
  await until("heard", async () => (await tones()) === 6);
  assert.equal((await shown()).length, 1);

  // Off is off, for either, and stays so.
  await bell.click();
  await until("off", async () => (await bell.getAttribute("aria-pressed")) === "false");
  await desk.getByRole("button", { name: /account and preferences/ }).click();
  await desk.getByLabel("Sound", { exact: true }).uncheck();
  await desk.keyboard.press("Escape");
  await away(true);
  await comes(304, "Eva Maas");
  // What is told to screen readers is told whatever is on, and in the same moment as the rest.
  await desk.locator("[role=status].hidden", { hasText: "Eva Maas" }).waitFor({ state: "attached" });
  assert.deepEqual([(await shown()).length, await tones()], [1, 6]);
  await desk.reload();
  await desk.getByRole("region", { name: "Chat list" }).waitFor();
  assert.equal(await bell.getAttribute("aria-pressed"), "false");
  await desk.getByRole("button", { name: /account and preferences/ }).click();
  assert.equal(await desk.getByLabel("Sound", { exact: true }).isChecked(), false);
});
console.log("ok");
