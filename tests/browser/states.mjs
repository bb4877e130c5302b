// What goes wrong, what is under way, and what is done to a message: each state in both directions and both themes.
import { assert, clean, listenIn, stage, until, Widget } from "./lib.mjs";

for (const [colorScheme, lang] of [["light", "en"], ["dark", "en"], ["light", "ar"], ["dark", "ar"]]) {
  const name = `${colorScheme}-${lang}`;
  const context = { colorScheme, locale: lang };
  await stage({ telegram: false, site: { lang }, widget: 'ask = ["name", "email"]', context }, async ({ open, context }) => {
    await context.addInitScript(listenIn);
    const page = await open();
    const widget = new Widget(page);
    await widget.open();
    await widget.say("VPN error 691");
    await widget.panel.locator("form input").first().waitFor();
    await clean(page, `states-ask-${name}`);
    await widget.panel.locator('input[type="text"]').fill("Maria");
    await widget.panel.locator('input[type="email"]').fill("maria@example.com");
    await widget.panel.locator("button.main").click();
    await widget.panel.locator(".msg.assistant .bubble").first().waitFor();

    // More than a message may be: it stays, says why, and can be tried again; and a word about it.
    await page.evaluate(() => $deskbridge.send("x".repeat(8001)));
    await widget.panel.locator(".msg.me .meta.bad").waitFor();
    await widget.panel.locator(".toast").waitFor();
    await clean(page, `states-failed-${name}`);

    // A program in place of a picture.
    await widget.panel.locator('input[type="file"]').setInputFiles({ name: "tool.png", mimeType: "image/png", buffer: Buffer.from("MZ".padEnd(512, "\0")) });
    await widget.panel.locator(".file.bad", { hasText: "tool.png" }).waitFor();
    await clean(page, `states-refused-${name}`);
    await widget.panel.locator(".file.bad button").click();
    // And one that is taken: before it is sent, and after.
    await widget.panel.locator('input[type="file"]').setInputFiles({ name: "log.txt", mimeType: "text/plain", buffer: Buffer.from("a line") });
    await until("the upload", async () => widget.panel.locator(".send").isEnabled());
    await clean(page, `states-file-${name}`);
    await widget.box.press("Enter");
    await widget.panel.locator(".msg.me a.file").waitFor();

    // Own words: what can be done, changed, taken back.
    const own = widget.panel.locator(".msg.me").first();
    await own.locator(".more").focus();
    await page.keyboard.press("Enter");
    await own.locator(".menu button").nth(1).waitFor();
    await clean(page, `states-tools-${name}`);
    await own.locator(".menu button").first().click();
    await widget.panel.locator(".rewrite textarea").waitFor();
    await clean(page, `states-edit-${name}`);
    await page.keyboard.press("Escape");
    await own.locator(".more").focus();
    await page.keyboard.press("Enter");
    await own.locator(".menu button").nth(1).click();
    await own.locator(".menu .bad").waitFor();
    await clean(page, `states-delete-${name}`);
    await own.locator(".menu .bad").click();
    await widget.panel.locator(".bubble.gone").waitFor();
    await clean(page, `states-deleted-${name}`);
    const theirs = widget.panel.locator(".msg.assistant").first();
    await theirs.locator(".more").focus();
    await page.keyboard.press("Enter");
    await theirs.locator(".pick").first().waitFor();
    await clean(page, `states-react-${name}`);
    await page.keyboard.press("Escape");

    // Somebody types, for as long as it is looked at.
    await page.evaluate(() => {
      const { c } = window.wire.sent.find((frame) => frame.t === "send");
      window.wire.socket.hear(JSON.stringify({ t: "typing", c, from: "technician", name: "Bob", ms: 600_000 }));
    });
    await widget.panel.locator(".dots").waitFor();
    await clean(page, `states-typing-${name}`);
  });
  const known = 'identity_key = "0123456789abcdef0123456789abcdef"\nverified_only = true';
  await stage({ telegram: false, site: { lang }, widget: known, context }, async ({ open }) => {
    const page = await open();
    const widget = new Widget(page);
    await widget.open();
    await widget.panel.getByRole("alert").waitFor();
    await clean(page, `states-sign-in-${name}`);
  });
  // A conversation with people, in the languages that read the other way in the dark.
  if (lang === "ar") {
    await stage({ site: { lang }, context }, async ({ open, telegram }) => {
      const page = await open();
      const widget = new Widget(page);
      await widget.open();
      await clean(page, `states-home-${name}`);
      await widget.say("طابعتي لا تعمل");
      await widget.panel.locator(".msg.assistant, .msg.desk").first().waitFor();
      await widget.panel.locator(".state .chip").click();
      const topic = await telegram.topic();
      await clean(page, `states-waiting-${name}`);
      await telegram.accept(topic);
      await widget.sees("Bob");
      await telegram.reply(topic, "هل جربت إعادة التشغيل؟");
      await widget.sees("هل جربت");
      await clean(page, `states-human-${name}`);
      await telegram.reply(topic, "/resolve");
      await widget.panel.locator(".state.wrap").waitFor();
      await clean(page, `states-resolved-${name}`);
      await widget.panel.locator("header button").first().click();
      await widget.panel.locator(".row").first().waitFor();
      await clean(page, `states-requests-${name}`);
    });
  }
}
console.log("ok");
