// S48: what looks like markup is text: in what people write, in names, in file names; nothing runs, nothing is fetched.
import { assert, stage, until, Widget } from "./lib.mjs";

const VECTORS = [
  "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<svg><script>alert(1)</script></svg>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>", "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  "<body onload=alert(1)>", "<details open ontoggle=alert(1)>", "<video><source onerror=alert(1)>", "<a href='javascript:alert(1)'>x</a>",
  "<style>*{background:url(//evil.test)}</style>", "<link rel=stylesheet href=//evil.test/x.css>", "<base href=//evil.test/>",
  "<object data='data:text/html,<script>alert(1)</script>'></object>", "<embed src=//evil.test/x.swf>", "<form action=//evil.test><button>x",
  "<meta http-equiv=refresh content='0;url=//evil.test'>", "\"><script>alert(1)</script>", "'-alert(1)-'", "{{constructor.constructor('alert(1)')()}}",
  "${alert(1)}", "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<xmp><svg/onload=alert(1)></xmp>",
  "<input autofocus onfocus=alert(1)>", "<marquee onstart=alert(1)>", "<!--><img src=x onerror=alert(1)>-->", "<![CDATA[<img src=x onerror=alert(1)>]]>",
  "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;img src=x onerror=alert(1)&#62;", "\u202egnp.exe", "<ſcript>alert(1)</ſcript>", "<deskbridge-widget>",
  "<template><script>alert(1)</script></template>", "<isindex type=image src=1 onerror=alert(1)>", "<table background='javascript:alert(1)'>",
  "<img src='//evil.test/x.png'>", "<audio src=//evil.test/x.mp3 autoplay>", "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'/></svg>",
  "<img srcset='//evil.test/y.png 2x'>", "<div style='background:url(//evil.test/z)'>",
];
// As CommonMark of an assistant or another channel would bring it.
const MARKDOWN = [
  "[x](javascript:alert(1))", "[x](data:text/html,<script>alert(1)</script>)", "![x](https://evil.test/tracker.png)", "![x](javascript:alert(1))",
  "<javascript:alert(1)>", "[x]: javascript:alert(1)\n[x]", "[x](vbscript:msgbox(1))", "[x](//evil.test)", "[x](JaVaScRiPt:alert(1))", "[x](\tjavascript:alert(1))",
];
// Every element with every kind of handler.
const HANDLERS = ["img src=x", "svg", "body", "input autofocus", "video src=x", "iframe", "details open", "a href=x"].flatMap((tag) =>
  ["onerror", "onload", "onfocus", "ontoggle", "onmouseover", "onanimationstart", "onpointerenter", "ONERROR"].map((on) => `<${tag} ${on}=alert(1)>`),
);

await stage({}, async ({ telegram, open, program, context }) => {
  const outside = [];
  context.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (/^(http|ws)/.test(protocol) && !["127.0.0.1", "localhost"].includes(hostname)) outside.push(request.url());
  });
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  await widget.say("I want to talk to a human");
  const topic = await telegram.topic();
  await telegram.accept(topic);
  await widget.sees("has joined");
  const all = [...VECTORS, ...MARKDOWN];
  for (const [n, vector] of all.entries()) {
    await telegram.reply(topic, `T${n} ${vector}`);
    await widget.say(`M${n} ${vector}`);
  }
  for (const [n, vector] of HANDLERS.entries()) await telegram.reply(topic, `H${n} ${vector}`);
  await widget.sees(`M${all.length - 1} `);
  await widget.panel.locator(".msg.technician .bubble", { hasText: `T${all.length - 1} ` }).waitFor();
  const own = await widget.panel.locator(".msg.me .bubble").allTextContents();
  const their = await widget.panel.locator(".msg.technician .bubble").allTextContents();
  const flat = (text) => text.replace(/[\s\u2060\u00a0]+/g, " ").trim();
  for (const [n, vector] of all.entries()) {
    assert.equal(flat(own.find((text) => text.startsWith(`M${n} `)) ?? ""), flat(`M${n} ${vector}`));
    assert.equal(flat(their.find((text) => text.startsWith(`T${n} `)) ?? "").replace(/ /g, ""), flat(`T${n} ${vector}`).replace(/ /g, ""));
  }
  await widget.panel.locator(".msg.technician .bubble", { hasText: `H${HANDLERS.length - 1} ` }).waitFor();
  const handled = await widget.panel.locator(".msg.technician .bubble").allTextContents();
  for (const [n, vector] of HANDLERS.entries()) assert.ok(handled.includes(`H${n} ${vector}`), vector);
  // Names of files, too.
  const name = "<img src=x onerror=alert(1)>.txt";
  await widget.panel.locator('input[type="file"]').setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from("x") });
  await widget.panel.locator(".files .file", { hasText: name }).waitFor();
  await until("the upload", async () => widget.panel.locator(".send").isEnabled());
  await widget.box.press("Enter");
  await widget.panel.locator(".msg.me .file", { hasText: name }).waitFor();
  // Built of allowed elements alone.
  const elements = await widget.panel.evaluate((panel) => [...new Set([...panel.querySelectorAll(".bubble *")].map((e) => e.localName))]);
  const allowed = ["p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr", "table", "thead", "tr", "td", "span", "i"];
  assert.deepEqual(elements.filter((name) => !allowed.includes(name)), []);
  const links = await widget.panel.evaluate((panel) => [...panel.querySelectorAll(".bubble a")].map((a) => a.protocol));
  assert.deepEqual(links.filter((one) => !["http:", "https:", "mailto:"].includes(one)), []);
  assert.deepEqual(outside, [], "requests to elsewhere");
  assert.ok(program.url);
});
console.log("ok");
