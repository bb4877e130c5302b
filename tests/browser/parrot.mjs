// S48: a model that was talked into it. What is said to it comes back as CommonMark, and it is still text.
import { assert, spelled, stage, Widget } from "./lib.mjs";
import { harmless, same, VECTORS, watch } from "./vectors.mjs";

const model = `engine = "openai"\nbase_url = "${process.env.DESKBRIDGE_TEST_OPENAI}"\nmodel = "fake-small"\napi_key = "${process.env.DESKBRIDGE_TEST_OPENAI_KEY}"\nmax_turns = 100\n`;

await stage({ telegram: false, assistant: model, context: { viewport: { width: 1280, height: 900 } } }, async ({ open, context }) => {
  const outside = watch(context);
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  const several = 10;
  for (let at = 0; at < VECTORS.length; at += several) {
    const some = VECTORS.slice(at, at + several);
    // Each as a line that begins with it, and within one.
    const answer = some.map(({ text }, n) => `${text}\n\nA${at + n} ${text}`).join("\n\n");
    await widget.say(`say:${spelled(`begin${at}\n\n${answer}\n\nend${at}`)}`);
    const bubble = widget.panel.locator(".msg.assistant .bubble", { hasText: `end${at}` });
    await bubble.waitFor();
    const shown = same(await bubble.textContent());
    for (const [n, { read }] of some.entries()) {
      const [within, begun] = [shown.indexOf(same(`A${at + n} ${read}`)), shown.indexOf(same(read))];
      assert.ok(within > 0 && begun >= 0 && begun < within, `${read} in ${shown}`);
    }
    await harmless(widget);
  }
  assert.deepEqual(outside, [], "requests to elsewhere");
});
console.log("ok");
