// The server is killed, the network goes: nothing is missed, nothing is doubled, what was written meanwhile is sent.
import { assert, shoot, stage, until, Widget } from "./lib.mjs";

const once = (list, text) => assert.equal(list.filter((one) => one.includes(text)).length, 1, `${text} in ${JSON.stringify(list)}`);

await stage({}, async ({ telegram, program, context, open }) => {
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  await widget.say("I want to talk to a human");
  const topic = await telegram.topic();
  await telegram.accept(topic);
  await widget.sees("has joined");
  await telegram.reply(topic, "before the end");
  await widget.sees("before the end");

  await program.kill();
  await widget.sees("before the end");
  await page.locator("deskbridge-widget .bar", { hasText: "Reconnecting" }).waitFor();
  // Written by both sides while nobody is there between them.
  await widget.say("written without a server 1");
  await widget.say("written without a server 2");
  await shoot(page, "reconnecting");
  const said = await telegram.reply(topic, "said meanwhile");
  await telegram.do("edit_message", { chat: telegram.desk, message: said, text: "said meanwhile, and edited" });
  await program.start();
  await page.locator("deskbridge-widget .bar").waitFor({ state: "detached" });
  await telegram.sees(topic, "written without a server 2");
  await widget.sees("said meanwhile, and edited");
  await until("everything confirmed", async () => (await widget.panel.getByText("Sending…").count()) === 0);
  let seen = await widget.bubbles();
  for (const text of ["before the end", "written without a server 1", "written without a server 2", "said meanwhile"])
    once(seen, text);
  assert.ok(seen.findIndex((t) => t.includes("server 1")) < seen.findIndex((t) => t.includes("server 2")), "in order");
  const there = (await telegram.messages(topic)).map((message) => message.text ?? "");
  once(there, "written without a server 1");
  once(there, "written without a server 2");

  // Killed again and again, with words on their way each time. Telegram knows no ids of ours, so a post that was under way
  // may stand there twice (and says so); the browser shows each once.
  for (let n = 1; n <= 3; n += 1) {
    await widget.say(`in the very moment ${n}`);
    await program.kill();
    await program.start();
  }
  await until("everything confirmed", async () => (await widget.panel.getByText("Sending…").count()) === 0);
  seen = await widget.bubbles();
  for (let n = 1; n <= 3; n += 1) {
    once(seen, `in the very moment ${n}`);
    await telegram.sees(topic, `in the very moment ${n}`);
  }

  // Without a network it says so, and keeps what is written; also over a reload of the page.
  await context.setOffline(true);
  await page.locator("deskbridge-widget .bar", { hasText: "offline" }).waitFor();
  await widget.say("written offline");
  await shoot(page, "offline");
  await telegram.reply(topic, "said while you were away");
  await context.setOffline(false);
  await telegram.sees(topic, "written offline");
  await widget.sees("said while you were away");
  await page.reload();
  await widget.launcher.click();
  await widget.panel.locator(".row").first().click();
  await widget.sees("said while you were away");
  seen = await widget.bubbles();
  for (const text of ["before the end", "written without a server 1", "said meanwhile", "in the very moment 2", "written offline"])
    once(seen, text);
});
console.log("ok");
