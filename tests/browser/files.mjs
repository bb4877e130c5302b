// Files: by the button, dropped, pasted; what they are is looked at; what runs is refused.
import { assert, shoot, stage, until, Widget } from "./lib.mjs";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FAAhKDveksOjmAAAAAElFTkSuQmCC",
  "base64",
);

await stage({}, async ({ telegram, open, program }) => {
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  await widget.say("I want to talk to a human");
  const topic = await telegram.topic();
  await telegram.accept(topic);
  await widget.sees("has joined");

  await widget.panel.locator('input[type="file"]').setInputFiles({ name: "report.txt", mimeType: "text/plain", buffer: Buffer.from("a report") });
  await widget.panel.getByText("report.txt").waitFor();
  await until("the upload", async () => widget.panel.locator(".send").isEnabled());
  await widget.say("here is the report");
  await until("the document in the topic", async () =>
    (await telegram.messages(topic)).some((message) => message.document?.file_name === "report.txt"),
  );

  const give = (event, png) =>
    widget.box.evaluate(
      (box, [event, bytes]) => {
        const carried = new DataTransfer();
        carried.items.add(new File([new Uint8Array(bytes)], event === "paste" ? "image.png" : "dropped.png", { type: "image/png" }));
        const target = event === "paste" ? box : box.getRootNode().querySelector(".body");
        target.dispatchEvent(
          event === "paste"
            ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })
            : new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }),
        );
      },
      [event, [...png]],
    );
  for (const event of ["paste", "drop"]) {
    await give(event, PNG);
    await until("the upload", async () => widget.panel.locator(".send").isEnabled());
    await widget.say(`by ${event}`);
    const shot = widget.panel.locator("img.shot").nth(event === "paste" ? 0 : 1);
    await shot.waitFor();
    await page.waitForFunction((img) => img.complete && img.naturalWidth === 10, await shot.elementHandle());
    await until(`the picture in the topic, by ${event}`, async () =>
      (await telegram.messages(topic)).some((message) => message.photo && message.caption?.includes(`by ${event}`)),
    );
  }
  await shoot(page, "files");

  // A web page called a picture stays out (S50), and so does a program.
  for (const [name, bytes] of [["shot.png", "<!doctype html><script>alert(1)</script>"], ["tool.txt", "MZ".padEnd(512, "\0")]]) {
    await widget.panel.locator('input[type="file"]').setInputFiles({ name, mimeType: "image/png", buffer: Buffer.from(bytes) });
    await widget.panel.locator(".file.bad", { hasText: name }).waitFor();
    await widget.panel.getByRole("button", { name: `Remove ${name}` }).click();
  }

  // S69: an address works for its file and its time; nothing else opens it.
  const href = await widget.panel.locator("a:has(img.shot)").first().getAttribute("href");
  const status = async (url) => (await fetch(url)).status;
  assert.equal(await status(href), 200);
  const answer = await fetch(href);
  assert.match(answer.headers.get("content-security-policy"), /sandbox/);
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  const other = await widget.panel.locator("a:has(img.shot)").nth(1).getAttribute("href");
  const id = (url) => new URL(url).pathname.split("/").at(-1);
  assert.equal(await status(href.replace(id(href), id(other))), 404, "signature of another file");
  assert.equal(await status(href.replace(/until=\d+/, "until=9999999999")), 404, "made longer");
  assert.equal(await status(`${program.url}/widget/v1/widget/files/${id(href)}`), 400, "without a signature");
});
console.log("ok");
