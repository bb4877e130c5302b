// A whole conversation: a visitor on a web page, a technician in a Telegram topic.
import { assert, focusWithin, shoot, stage, Widget } from "./lib.mjs";

await stage({ context: { colorScheme: "light" } }, async ({ telegram, open, program }) => {
  const page = await open();
  const widget = new Widget(page);
  await page.evaluate(() => {
    window.seen = [];
    for (const name of ["open", "message:sent", "message:received", "status", "handover", "unread", "csat:submitted"])
      window.$deskbridge.on(name, (detail) => window.seen.push([name, detail]));
  });
  await shoot(page, "launcher");
  await widget.open();
  await shoot(page, "home");
  await widget.say("My VPN says error 691 since this morning");
  await widget.sees("VPN");
  await widget.panel.locator(".msg.assistant .bubble").first().waitFor();
  assert.equal(await widget.panel.locator(".ai").first().innerText(), "AI");
  await shoot(page, "assistant");

  await widget.panel.getByRole("button", { name: "Talk to a human" }).click();
  await widget.sees("Waiting for a technician");
  const topic = await telegram.topic();
  await telegram.accept(topic);
  await widget.sees("has joined");
  await widget.sees("With Bob");
  await telegram.reply(topic, "Can you try the *portal*?");
  await widget.sees("Can you try the *portal*?");
  await widget.say("Works, thank you <b>very</b> much");
  await telegram.sees(topic, "Works, thank you <b>very</b> much");
  await shoot(page, "human");

  // An edit and a file go over, too.
  const edited = await telegram.reply(topic, "It is in the manual");
  await widget.sees("It is in the manual");
  await telegram.do("edit_message", { chat: telegram.desk, message: edited, text: "It is in the new manual" });
  await widget.sees("It is in the new manual");
  await telegram.reply(topic, "A picture", { file: { kind: "photo" } });
  const shot = widget.panel.locator("img.shot");
  await shot.waitFor();
  await page.waitForFunction((img) => img.complete && img.naturalWidth > 0, await shot.elementHandle());

  await telegram.reply(topic, "/resolve");
  await widget.sees("Resolved");
  const rating = widget.panel.getByRole("group", { name: "Rate this conversation" });
  await rating.getByRole("button", { name: "5: Great" }).click();
  await widget.sees("Thank you for telling us");
  await telegram.sees(topic, "5");
  await shoot(page, "rated");

  const seen = await page.evaluate(() => window.seen);
  const names = new Set(seen.map(([name]) => name));
  for (const name of ["open", "message:sent", "message:received", "status", "handover", "csat:submitted"])
    assert.ok(names.has(name), `no event ${name}: ${[...names]}`);
  assert.ok(seen.some(([name, detail]) => name === "handover" && detail.technician === "Bob"));

  // What is missed while it is closed shows on the launcher, and is read when it opens.
  await focusWithin(page);
  await page.keyboard.press("Escape");
  await widget.panel.waitFor({ state: "hidden" });
  await telegram.reply(topic, "/reopen");
  await telegram.accept(topic).catch(() => {});
  await page.locator("deskbridge-widget .badge:not([hidden])").waitFor();
  await shoot(page, "badge");
  await widget.launcher.click();
  await page.locator("deskbridge-widget .badge[hidden]").waitFor({ state: "attached" });
  await widget.panel.getByRole("button", { name: "Back" }).click();
  await widget.panel.locator(".row").first().waitFor();
  await shoot(page, "requests");

  // The page to try it on: the snippet's hash is the file's, or the browser would not run it.
  const own = await page.context().newPage();
  await own.goto(`${program.url}/try`);
  assert.match(await own.locator("pre.some").innerText(), /integrity="sha384-[A-Za-z0-9+/]{64}"/);
  await new Widget(own).open();
  await own.locator("deskbridge-widget .chip").first().waitFor();
  await shoot(own, "try");
});
console.log("ok");
