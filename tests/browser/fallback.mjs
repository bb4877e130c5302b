// Where no WebSocket gets through, everything goes by HTTP; and while nobody is there, a request can be left.
import { assert, shoot, stage, until, Widget } from "./lib.mjs";

await stage({}, async ({ telegram, program, context, open }) => {
  await context.addInitScript(() => {
    window.sockets = 0;
    window.WebSocket = class extends EventTarget {
      static OPEN = 1;
      readyState = 0;
      constructor() {
        super();
        window.sockets += 1;
        setTimeout(() => this.onclose?.({ code: 1006 }), 5);
      }
      close() {}
    };
  });
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  await widget.say("I want to talk to a human");
  const topic = await telegram.topic();
  assert.ok((await page.evaluate(() => window.sockets)) >= 2, "sockets were tried first");
  await telegram.accept(topic);
  await widget.sees("has joined");
  await telegram.reply(topic, "by a stream");
  await widget.sees("by a stream");
  await widget.say("by a request");
  await telegram.sees(topic, "by a request");
  await program.kill();
  await widget.say("while the server was gone");
  await program.start();
  await telegram.reply(topic, "after it came back");
  await widget.sees("after it came back");
  await telegram.sees(topic, "while the server was gone");
  await until("everything confirmed", async () => (await widget.panel.getByText("Sending…").count()) === 0);
  const seen = await widget.bubbles();
  for (const text of ["by a stream", "by a request", "while the server was gone", "after it came back"])
    assert.equal(seen.filter((one) => one.includes(text)).length, 1, text);
});

const more = '[queues.default]\nhours = ["Sun 03:00-03:01"]\n';
await stage({ more, widget: 'ask = ["name", "email"]' }, async ({ open, program }) => {
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  await widget.panel.getByText("Our technicians are back").waitFor();
  await widget.panel.getByRole("button", { name: "Leave a request" }).click();
  await widget.panel.getByLabel("What happened?").fill("My laptop does not start any more");
  await widget.panel.getByLabel("Your name").fill("Maria Costa");
  await widget.panel.getByLabel("Your e-mail").fill("maria@example.com");
  // With what there is to show: chosen, and dropped onto the form.
  await widget.panel.locator('input[type="file"]').setInputFiles({ name: "log.txt", mimeType: "text/plain", buffer: Buffer.from("a line") });
  await widget.panel.locator("form").evaluate((form) => {
    const carried = new DataTransfer();
    carried.items.add(new File(["another line"], "dropped.txt", { type: "text/plain" }));
    form.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
  });
  await widget.panel.locator(".file", { hasText: "dropped.txt" }).waitFor();
  await until("the uploads", async () => widget.panel.getByRole("button", { name: "Send request" }).isEnabled());
  await shoot(page, "leave");
  await widget.panel.getByRole("button", { name: "Send request" }).click();
  await widget.sees("My laptop does not start any more");
  for (const name of ["log.txt", "dropped.txt"]) await widget.panel.locator(".msg.me a.file", { hasText: name }).waitFor();
  const messages = JSON.stringify(await program.desk()("GET", "/conversations/1/messages"));
  for (const name of ["log.txt", "dropped.txt"]) assert.ok(messages.includes(name), `${name}: ${messages}`);
  await widget.panel.locator(".msg.assistant, .msg.desk").first().waitFor();
  // What is known is not asked again, and the transcript can be taken along.
  const download = page.waitForEvent("download");
  await widget.panel.getByRole("button", { name: "Save transcript" }).click();
  assert.match((await download).suggestedFilename(), /\.txt$/);
});
console.log("ok");
