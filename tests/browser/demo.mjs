// The demo as a visitor meets it: the widget asks, the assistant answers, a technician takes over in the thread, the console is
// one click away, and the end; in the dark and on a phone nothing sticks out.
import { assert, demo, launch, PATIENCE, shoot, until, Widget } from "./lib.mjs";

const running = await demo();
const browser = await launch();
try {
  for (const scheme of ["light", "dark"]) {
    const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1440, height: 900 }, colorScheme: scheme });
    context.setDefaultTimeout(PATIENCE);
    const faults = [];
    context.on("page", (page) => {
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
      page.on("request", (request) => {
        const { protocol, hostname } = new URL(request.url());
        if (protocol.startsWith("http") && hostname !== "127.0.0.1") faults.push(`asked ${request.url()}`);
      });
    });
    const page = await context.newPage();
    await page.goto(running.url);
    const step = page.locator("#step");
    await until("the first step", async () => (await step.innerText()).includes("round chat button"));
    await shoot(page, `demo-${scheme}`);

    const widget = new Widget(page.frameLocator("#portal"));
    await widget.open();
    await widget.say("my vpn says 691");
    await widget.sees("691");
    await widget.panel.locator(".msg.assistant .bubble").first().waitFor();
    // Sample conversations come in meanwhile.
    const mine = page.locator("#threads li", { hasText: "my vpn says 691" }).filter({ hasText: /offered|waiting/ });
    await widget.panel.getByRole("button", { name: "Talk to a human" }).first().click();
    await mine.first().click();
    await page.locator("#card").getByRole("button", { name: "Accept" }).click();
    await widget.sees("has joined");
    await page.locator("#desk-text").fill("I reset it for you.");
    await page.locator("#desk-text").press("Enter");
    await widget.sees("I reset it for you.");
    await shoot(page, `demo-${scheme}-answered`);

    const opened = context.waitForEvent("page");
    await page.locator("#console").click();
    const console_ = await opened;
    await console_.getByText("my vpn says 691").first().waitFor();
    await shoot(console_, `demo-${scheme}-console`);
    await console_.close();

    // The same in a pane: what was said, and what is said there arrives.
    await page.locator("#desk-who label", { hasText: "console" }).click();
    const pane = page.frameLocator("#console-pane");
    await pane.getByRole("tab", { name: /^Mine/ }).click();
    await pane.locator("[role=option]", { hasText: "my vpn says 691" }).first().click();
    await pane.getByRole("log", { name: "Messages" }).getByText("I reset it for you.").first().waitFor();
    await pane.locator("#composer").fill(`Said in the pane, in the ${scheme}.`);
    await pane.locator("#composer").press("Control+Enter");
    await widget.sees(`Said in the pane, in the ${scheme}.`);
    await shoot(page, `demo-${scheme}-pane`);
    await page.locator("#desk-who label", { hasText: /^Ana$/ }).click();
    await page.locator("#thread-view").waitFor();

    await page.locator("#card").getByRole("button", { name: "Resolve" }).click();
    await widget.sees("marked this as resolved");
    await until("the guide's end", async () => (await step.innerText()).includes("That is the main job"));

    // The other two ways to ask: a line on each, and its answer.
    for (const who of ["Maria · Telegram", "Nina · Slack"]) {
      await page.locator("#phone-who label", { hasText: who }).click();
      await page.locator("#phone-text").waitFor();
      await page.locator("#phone-text").fill(`my printer has a paper jam (${scheme})`);
      await page.locator("#phone-text").press("Enter");
      // Below the question: what was answered before stands above it.
      const asked = `#phone-log article.mine:has-text("(${scheme})")`;
      await page.locator(`${asked} ~ article.by-ai`, { hasText: /jam/i }).first().waitFor();
      await shoot(page, `demo-${scheme}-${who.split(" ").at(-1).toLowerCase()}`);
    }
    await page.locator("#phone-who label", { hasText: "portal" }).click();

    await page.setViewportSize({ width: 390, height: 780 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, "something sticks out on a phone");
    await shoot(page, `demo-${scheme}-phone`);
    assert.deepEqual(faults, [], `errors in the ${scheme}`);
    await context.close();
  }
} catch (error) {
  for (const context of browser.contexts()) await shoot(context.pages()[0], "demo-failed").catch(() => {});
  console.error(running.said().slice(-4000));
  throw error;
} finally {
  await browser.close();
  await running.end();
}
console.log("ok");
