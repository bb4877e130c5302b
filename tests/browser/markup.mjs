// S48, S49: what looks like markup is text: in what people write, in what a technician answers from a topic and from the
// console, in names, titles and names of files. Nothing runs, nothing is fetched. (What the assistant says: parrot.mjs.)
import { assert, stage, until, Widget } from "./lib.mjs";
import { harmless, NAMES, same, squeezed, VECTORS, watch } from "./vectors.mjs";

/** The bubbles of one side, by the mark that each message begins with. */
async function marked(widget, from, mark, count) {
  const bubbles = widget.panel.locator(`.msg.${from} .bubble`);
  return until(`${count} of ${mark}`, async () => {
    const texts = (await bubbles.allTextContents()).filter((text) => new RegExp(`^${mark}\\d+ `).test(text));
    return texts.length === count && new Map(texts.map((text) => [Number(/\d+/.exec(text)[0]), text]));
  });
}

await stage({}, async ({ telegram, open, program, context }) => {
  const outside = watch(context);
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  // As the title of a request, too: its first words.
  const [title] = NAMES;
  await widget.say(title);
  await widget.panel.locator(".msg.assistant, .msg.desk").first().waitFor();
  await widget.say("I want to talk to a human");
  const topic = await telegram.topic();
  await telegram.accept(topic);
  await widget.sees("has joined");
  assert.equal(await widget.panel.locator("#title").innerText(), title);

  const desk = program.desk();
  for (const [n, { text }] of VECTORS.entries()) {
    const others = [telegram.reply(topic, `T${n} ${text}`), desk("POST", "/conversations/1/messages", { text: `C${n} ${text}` })];
    await Promise.all([widget.say(`M${n} ${text}`), ...others]);
  }
  const mine = await marked(widget, "me", "M", VECTORS.length);
  const typed = await marked(widget, "technician", "T", VECTORS.length);
  const written = await marked(widget, "technician", "C", VECTORS.length);
  for (const [n, { text, read }] of VECTORS.entries()) {
    assert.equal(mine.get(n), `M${n} ${text}`, "letter by letter what was typed");
    // What is typed in a chat is text there; the console's composer writes CommonMark.
    assert.equal(squeezed(typed.get(n)), squeezed(`T${n} ${text}`));
    assert.equal(same(written.get(n)), same(`C${n} ${read}`));
  }
  await harmless(widget);

  // Names of files; as many as one visitor has in an hour.
  const names = NAMES.slice(0, 18);
  assert.equal(names.length, 18);
  for (let at = 0; at < names.length; at += 9) {
    const some = names.slice(at, at + 9).map((name) => ({ name: `${name}.txt`, mimeType: "text/plain", buffer: Buffer.from("x") }));
    await widget.panel.locator('input[type="file"]').setInputFiles(some);
    for (const { name } of some) await widget.panel.locator("footer .file").getByText(name, { exact: true }).waitFor();
    await until("the uploads", async () => widget.panel.locator(".send").isEnabled());
    await widget.box.press("Enter");
  }
  for (const name of names) await widget.panel.locator(".msg.me .file").getByText(`${name}.txt`, { exact: true }).waitFor();
  await harmless(widget);

  // The title again, as a line of "my requests".
  await widget.panel.getByRole("button", { name: "Back" }).click();
  await widget.panel.locator(".row", { hasText: title }).waitFor();
  await harmless(widget);
  assert.deepEqual(outside, [], "requests to elsewhere");
});

// Names: of the technician who helps, of the site, of the person who writes.
const named = NAMES.filter((text) => text.includes("alert(1)")).slice(0, 2);
const more = `[[technicians]]\nname = ${JSON.stringify(named[0])}\nid = "vector"\ncapacity = 100\n`;
await stage({ telegram: false, more, widget: `ask = ["name"]\ngreeting = ${JSON.stringify(named[0])}` }, async ({ program, open, context }) => {
  const outside = watch(context);
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  await widget.panel.locator(".hello", { hasText: named[0] }).waitFor();
  await widget.say("I want to talk to a human");
  await widget.panel.getByLabel("Your name").fill(named[1]);
  await widget.panel.getByRole("button", { name: "Continue" }).click();
  await widget.sees("Waiting for a technician");
  const desk = program.desk("vector");
  await desk("POST", "/conversations/1/actions/accept", {});
  await widget.panel.locator(".state", { hasText: `With ${named[0]}` }).waitFor();
  await desk("POST", "/conversations/1/messages", { text: "hello" });
  await widget.panel.locator(".msg.technician .who", { hasText: named[0] }).waitFor();
  // Read out as it is, too.
  await widget.panel.getByRole("log").getByText(`${named[0]}: hello`).waitFor({ state: "attached" });
  assert.ok(JSON.stringify(await desk("GET", "/conversations/1")).includes(JSON.stringify(named[1]).slice(1, -1)));
  await harmless(widget);
  assert.deepEqual(outside, [], "requests to elsewhere");
});
console.log("ok");
