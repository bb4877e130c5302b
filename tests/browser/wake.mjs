// What was missed comes on focus, on wake-up and when a page is shown again, also over a socket that only looks open; and
// nothing is loaded before somebody means to use it.
import { assert, listenIn, stage, until, Widget } from "./lib.mjs";

await stage({}, async ({ telegram, program, context, open }) => {
  await context.addInitScript(listenIn);

  // The launcher alone, for as long as nobody comes near.
  const asked = [];
  context.on("request", (request) => request.url().startsWith(program.url) && asked.push(new URL(request.url()).pathname));
  const first = await open();
  const widget = new Widget(first);
  await widget.launcher.waitFor();
  await first.waitForLoadState("networkidle");
  await first.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
  assert.deepEqual(asked, ["/widget/v1/deskbridge.js"], "nothing but the launcher");
  // Near it: the code, and still no word to the server.
  await widget.launcher.hover();
  await until("the panel's code", () => asked.includes("/widget/v1/panel.js"));
  await first.waitForLoadState("networkidle");
  assert.deepEqual(asked.filter((path) => !/^\/widget\/v1\/[a-z-]+\.js$/.test(path)), [], "code, and nothing else");
  await widget.launcher.click();
  await until("a session", () => asked.includes("/widget/v1/widget/session"));
  assert.equal(asked.filter((path) => path.endsWith("/deskbridge.js")).length, 1);
  assert.ok(!asked.some((path) => /emoji|queue|compat/.test(path)), "and not what nobody asked for");

  await widget.panel.locator(".hello").waitFor();
  await widget.say("I want to talk to a human");
  const topic = await telegram.topic();
  await telegram.accept(topic);
  await widget.sees("has joined");

  const wakes = {
    focus: () => window.dispatchEvent(new Event("focus")),
    pageshow: () => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })),
    visibilitychange: () => document.dispatchEvent(new Event("visibilitychange")),
    online: () => window.dispatchEvent(new Event("online")),
  };
  for (const [name, wake] of Object.entries(wakes)) {
    // The socket stands, and nothing of it arrives: as after a sleep.
    await first.evaluate(() => (window.wire.deaf = true));
    const said = await telegram.reply(topic, `said before ${name}`);
    await telegram.do("edit_message", { chat: telegram.desk, message: said, text: `said before ${name}, and edited` });
    await first.waitForFunction((text) => window.wire.heard.some((frame) => frame.kind === "edited" && frame.text?.includes(text)), `before ${name}`);
    assert.ok(!(await widget.bubbles()).some((text) => text.includes(`before ${name}`)), "it did not get through");
    await first.evaluate(() => Object.assign(window.wire, { deaf: false, sent: [] }));
    await first.evaluate(wake);
    await widget.sees(`said before ${name}, and edited`);
    const resumed = await first.evaluate(() => window.wire.sent.filter((frame) => frame.t === "resume"));
    assert.ok(resumed.length >= 1 && Object.values(resumed[0].cursors).some((seq) => seq > 0), `${name}: ${JSON.stringify(resumed)}`);
  }
  const seen = await widget.bubbles();
  for (const name of Object.keys(wakes)) assert.equal(seen.filter((text) => text.includes(`before ${name}`)).length, 1, name);

  // A page that nobody looks at asks for nothing.
  await first.evaluate(() => {
    window.wire.sent = [];
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    delete document.visibilityState;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await first.waitForFunction(() => window.wire.sent.some((frame) => frame.t === "resume"));
  assert.equal((await first.evaluate(() => window.wire.sent)).filter((frame) => frame.t === "resume").length, 1);
});
console.log("ok");
