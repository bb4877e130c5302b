// Two tabs of one browser: the same conversation in both, one session, and what is read in one is read in the other.
import { assert, focusWithin, stage, until, Widget } from "./lib.mjs";

await stage({}, async ({ telegram, open }) => {
  const one = new Widget(await open());
  await one.open();
  await one.say("I want to talk to a human");
  const topic = await telegram.topic();
  await telegram.accept(topic);
  await one.sees("has joined");

  const two = new Widget(await open());
  await two.open();
  await two.panel.locator(".row").first().click();
  await two.sees("has joined");
  await two.say("written in the second tab");
  await one.sees("written in the second tab");
  await telegram.sees(topic, "written in the second tab");
  await one.say("written in the first tab");
  await two.sees("written in the first tab");
  const token = (widget) => widget.page.evaluate(() => sessionStorage.getItem("deskbridge:widget"));
  assert.equal(await token(one), await token(two), "one session");
  assert.deepEqual(await one.bubbles(), await two.bubbles());

  // What comes while one is closed is unread there until it is read in the other.
  await one.page.bringToFront();
  await focusWithin(one.page);
  await one.page.keyboard.press("Escape");
  await two.panel.getByRole("button", { name: "Close" }).click();
  await telegram.reply(topic, "are you still there?");
  const badge = (widget) => widget.page.locator("deskbridge-widget .badge");
  await until("a badge in both", async () => (await badge(one).innerText()) === "1" && (await badge(two).innerText()) === "1");
  await two.page.bringToFront();
  await two.launcher.click();
  await until("no badge in either", async () => (await badge(one).isHidden()) && (await badge(two).isHidden()));

  // Logged out in one is logged out in both.
  await two.page.evaluate(() => window.$deskbridge.logout());
  await until("nothing in the other", async () => (await token(one)) !== (await token(two)) || (await token(one)) === null);
  await until("nothing of it in the first tab", async () => !(await one.bubbles()).length);
});
console.log("ok");
