// Keyboard alone, right to left, phone width, dark and light: everything can be reached and read.
import { assert, clean, focusWithin, stage, Widget } from "./lib.mjs";

const focused = (page) =>
  page.evaluate(() => {
    const active = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement;
    return active?.getAttribute("aria-label") ?? active?.textContent ?? active?.tagName;
  });

async function tabTo(page, wanted, key = "Tab") {
  for (let n = 0; n < 30; n += 1) {
    if ((await focused(page))?.includes(wanted)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${wanted} cannot be reached; the focus is on ${await focused(page)}`);
}

async function states({ telegram, open }, theme) {
  const page = await open();
  const widget = new Widget(page);
  await tabTo(page, "Open support chat");
  await page.keyboard.press("Enter");
  await widget.panel.locator(".chip").first().waitFor();
  await page.waitForFunction(() => document.activeElement?.shadowRoot?.activeElement?.tagName === "TEXTAREA");
  await clean(page, `reach-home-${theme}`);
  await page.keyboard.type("My VPN says error 691");
  await page.keyboard.press("Enter");
  await widget.panel.locator(".msg.assistant .bubble").first().waitFor();
  await clean(page, `reach-assistant-${theme}`);
  await tabTo(page, "Talk to a human", "Shift+Tab");
  await page.keyboard.press("Enter");
  await widget.sees("Waiting for a technician");
  await clean(page, `reach-waiting-${theme}`);
  const topic = await telegram.topic();
  await telegram.accept(topic);
  await widget.sees("has joined");
  await clean(page, `reach-human-${theme}`);
  // Only what is new is announced.
  await telegram.reply(topic, "only this is new");
  const log = widget.panel.getByRole("log");
  await log.getByText("only this is new").waitFor({ state: "attached" });
  assert.ok(!(await log.textContent()).includes("691"));
  await tabTo(page, "Emoji");
  await page.keyboard.press("Enter");
  await widget.panel.getByRole("group", { name: "Emoji" }).waitFor();
  await clean(page, `reach-emoji-${theme}`);
  await page.keyboard.press("Enter");
  await telegram.reply(topic, "/resolve");
  await widget.sees("marked this as resolved");
  await clean(page, `reach-resolved-${theme}`);
  await tabTo(page, "Great");
  await page.keyboard.press("Enter");
  await widget.sees("Thank you for telling us");
  await tabTo(page, "Back", "Shift+Tab");
  await page.keyboard.press("Enter");
  await widget.panel.locator(".row").first().waitFor();
  await clean(page, `reach-requests-${theme}`);
  await focusWithin(page);
  await page.keyboard.press("Escape");
  await widget.panel.waitFor({ state: "hidden" });
  // It is moved in the frame after the panel is gone.
  for (let left = 40; left > 0 && !/Open support chat/.test(await focused(page)); left -= 1) {
    await page.waitForTimeout(50);
  }
  assert.match(await focused(page), /Open support chat/, "the focus goes back to the launcher");
}

for (const colorScheme of ["light", "dark"]) {
  await stage({ context: { colorScheme } }, (parts) => states(parts, colorScheme));
}

// Nobody is there, and nothing is connected: the form for a request, and the bar that says so.
const away = '[queues.default]\nhours = ["Sun 03:00-03:01"]\n';
for (const [colorScheme, lang] of [["light", "en"], ["dark", "en"], ["light", "ar"], ["dark", "ar"]]) {
  const name = `${colorScheme}-${lang}`;
  await stage({ more: away, telegram: false, widget: 'ask = ["name", "email"]', site: { lang }, context: { colorScheme, locale: lang } }, async ({ open, context }) => {
    const page = await open();
    const widget = new Widget(page);
    await widget.open();
    const leave = widget.panel.locator(".bar + .chip");
    await leave.waitFor();
    await clean(page, `reach-away-${name}`);
    await leave.click();
    await widget.panel.locator("form textarea").waitFor();
    const place = await widget.panel.boundingBox();
    assert.ok(place.x >= 0 && place.x + place.width <= 1280, "all of it is on the page, whichever way that reads");
    await clean(page, `reach-leave-${name}`);
    await widget.panel.locator("form textarea").fill("My laptop does not start");
    await widget.panel.locator('input[type="text"]').fill("Maria");
    await widget.panel.locator('input[type="email"]').fill("maria@example.com");
    await widget.panel.locator("button.main").click();
    await widget.panel.locator(".msg.me").waitFor();
    await context.setOffline(true);
    await widget.panel.locator(".bar").waitFor();
    await widget.say("while there is no network");
    await widget.panel.locator(".msg.me").nth(1).waitFor();
    await clean(page, `reach-offline-${name}`);
    await context.setOffline(false);
    await widget.panel.locator(".bar").waitFor({ state: "detached" });
  });
}

// Right to left, on a phone, with what moves kept still; before a conversation somebody unknown is asked who they are.
const context = { locale: "ar", viewport: { width: 390, height: 780 }, reducedMotion: "reduce", hasTouch: true, isMobile: true };
await stage({ context, site: { lang: "ar" }, widget: 'ask = ["name", "email"]' }, async ({ open, telegram }) => {
  const page = await open();
  const widget = new Widget(page);
  await widget.launcher.tap();
  await widget.panel.locator(".hello").waitFor();
  assert.equal(await widget.panel.getAttribute("dir"), "rtl");
  await widget.panel.getByText("مرحبًا").waitFor();
  const box = await widget.panel.boundingBox();
  assert.deepEqual([box.x, box.width], [0, 390], "the whole width of a phone");
  await clean(page, "reach-phone-ar");
  await widget.box.fill("طابعتي لا تعمل");
  await widget.box.press("Enter");
  await widget.panel.locator("input").first().waitFor();
  await clean(page, "reach-ask-ar");
  await widget.panel.locator('input[type="text"]').fill("مريم");
  await widget.panel.locator('input[type="email"]').fill("mariam@example.com");
  await widget.panel.getByRole("button", { name: "متابعة" }).click();
  await widget.sees("طابعتي لا تعمل");
  await widget.panel.locator(".msg.assistant, .msg.desk").first().waitFor();
  await clean(page, "reach-talk-ar");
  const own = await widget.panel.locator(".msg.me").boundingBox();
  assert.ok(own.x < 60, "own words stand where a line ends");
  await widget.panel.locator(".state .chip").click();
  const topic = await telegram.topic();
  await telegram.sees(topic, "مريم");
});
console.log("ok");
