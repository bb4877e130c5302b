// Pages that were made for Chatwoot: by an attribute of our tag, and by Chatwoot's own snippet with another address.
import { assert, shoot, stage, until, Widget } from "./lib.mjs";

const listen = `window.heard = [];
for (const name of ["ready", "opened", "closed", "on-message"])
  window.addEventListener("chatwoot:" + name, (event) => window.heard.push([name, event.detail]));`;

async function whole(page) {
  await page.waitForFunction(() => window.heard.some(([name]) => name === "ready") && window.$chatwoot);
  const widget = new Widget(page);
  assert.ok(await page.evaluate(() => window.$chatwoot.hasLoaded && !window.$chatwoot.isOpen));
  await page.evaluate(() => window.$chatwoot.setCustomAttributes({ plan: "gold" }));
  await page.evaluate(() => window.$chatwoot.setLabel("onboarding"));
  await page.evaluate(() => window.$chatwoot.toggle("open"));
  await widget.panel.waitFor();
  await widget.panel.locator(".hello").waitFor();
  assert.ok(await page.evaluate(() => window.$chatwoot.isOpen));
  await page.evaluate(() => window.$chatwoot.setColorScheme("dark"));
  await until("dark", async () => (await widget.panel.getAttribute("data-theme")) === "dark");
  await widget.say("VPN error 691");
  await widget.panel.locator(".msg.assistant .bubble").first().waitFor();
  await page.waitForFunction(() => window.heard.some(([name, detail]) => name === "on-message" && detail.content));
  await page.evaluate(() => window.$chatwoot.setLocale("de"));
  await widget.panel.getByRole("button", { name: "Schließen" }).waitFor();
  await page.evaluate(() => window.$chatwoot.toggle("close"));
  await widget.panel.waitFor({ state: "hidden" });
  await page.evaluate(() => window.$chatwoot.toggleBubbleVisibility("hide"));
  await widget.launcher.waitFor({ state: "hidden" });
  await page.evaluate(() => window.$chatwoot.toggleBubbleVisibility("show"));
  await widget.launcher.waitFor();
  await page.evaluate(() => window.$chatwoot.reset());
  const heard = (await page.evaluate(() => window.heard)).map(([name]) => name);
  for (const name of ["ready", "opened", "closed", "on-message"]) assert.ok(heard.includes(name), `${name}: ${heard}`);
  assert.equal(heard.filter((name) => name === "ready").length, 1);
}

// Our tag, with one attribute more; the page's own script runs as it did, under a policy that allows nothing inline.
await stage({ telegram: false, site: { attributes: 'data-compat="chatwoot"', head: '<script src="/page.js"></script>', script: listen } }, async ({ open }) => {
  const page = await open();
  await whole(page);
  await page.evaluate(() => window.chatwootSDK.run({ websiteToken: "widget", baseUrl: "" }));
  assert.equal(await page.locator("deskbridge-widget").count(), 1, "one widget, whatever is called");
});

// Chatwoot's own snippet: the address of the server is another, and its token is the site's name.
await stage({ telegram: false, start: true }, async ({ program, site, context, open }) => {
  site.plain = true;
  site.script = `${listen}
window.chatwootSettings = { position: "left", locale: "en" };
(function (d, t) {
  var BASE_URL = "${program.url}";
  var g = d.createElement(t), s = d.getElementsByTagName(t)[0];
  g.src = BASE_URL + "/packs/js/sdk.js";
  g.defer = true;
  g.async = true;
  s.parentNode.insertBefore(g, s);
  g.onload = function () {
    window.chatwootSDK.run({ websiteToken: "widget", baseUrl: BASE_URL });
  };
})(document, "script");`;
  site.head = '<script src="/page.js"></script>';
  const page = await open();
  await whole(page);
  assert.equal(await page.locator("deskbridge-widget").getAttribute("data-side"), "left");
  await shoot(page, "compat");
});
console.log("ok");
