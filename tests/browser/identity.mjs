// Who somebody is: by the page's token, on every device; unknown people stay out where only known ones may write; and
// calls before the widget is there are kept.
import { createHmac, randomUUID } from "node:crypto";
import { assert, shoot, stage, until, Widget } from "./lib.mjs";

const KEY = "0123456789abcdef0123456789abcdef";
const part = (value) => Buffer.from(value).toString("base64url");
export function token(sub, facts = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub, aud: "widget", iss: "widget", iat: now, exp: now + 120, jti: randomUUID(), ...facts };
  const message = `${part(JSON.stringify({ alg: "HS256", typ: "JWT" }))}.${part(JSON.stringify(claims))}`;
  return `${message}.${createHmac("sha256", KEY).update(message).digest("base64url")}`;
}

await stage({ widget: `identity_key = "${KEY}"\nverified_only = true` }, async ({ telegram, open, site, program, browser }) => {
  const page = await open();
  const widget = new Widget(page);
  await widget.launcher.click();
  await widget.panel.getByText("Please sign in on this page").waitFor();
  await shoot(page, "sign-in");
  // "Verified only" holds for every message, whatever the browser does.
  const post = (path, body, bearer) =>
    fetch(`${program.url}/widget/v1/widget/${path}`, {
      method: "POST",
      headers: { origin: `http://localhost:${program.site}`, "content-type": "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) },
      body: JSON.stringify(body),
    });
  const unknown = await (await post("session", {})).json();
  const send = { t: "send", c: "a".repeat(32), id: "m-00000001", text: "let me in" };
  assert.equal((await post("act", send, unknown.token)).status, 403);

  await page.exposeFunction("vouch", () => token("maria", { name: "Maria Costa" }));
  await page.evaluate(() => window.$deskbridge.identify({ token: () => window.vouch() }));
  await widget.panel.locator(".field textarea").waitFor();
  await widget.say("I want to talk to a human");
  const topic = await telegram.topic();
  await telegram.sees(topic, "Maria Costa");
  await telegram.accept(topic);
  await widget.sees("has joined");

  // Another device: the same person, the same requests; and the calls before the widget was there.
  const elsewhere = await browser.newContext();
  const phone = await elsewhere.newPage();
  await phone.exposeFunction("vouch", () => token("maria"));
  await phone.addInitScript(() => {
    window.$deskbridge ||= new Proxy({ q: [] }, { get: (t, k) => (k === "then" ? undefined : k in t ? t[k] : (...a) => new Promise((r) => t.q.push([k, a, r]))) });
    window.$deskbridge.identify({ token: () => window.vouch() });
    window.$deskbridge.open();
  });
  await phone.goto(site.url);
  const other = new Widget(phone);
  await other.panel.locator(".row").first().click();
  await other.sees("has joined");
  await telegram.reply(topic, "on both of them");
  await other.sees("on both of them");
  await widget.sees("on both of them");

  // Rights end: the socket is cut at once.
  const cut = new Promise((resolve) => phone.on("websocket", (socket) => socket.on("close", resolve)));
  await phone.reload();
  await other.panel.locator(".row").first().waitFor();
  const bearer = await phone.evaluate(() => sessionStorage.getItem("deskbridge:widget"));
  assert.equal((await post("act", { t: "logout" }, bearer)).status, 200);
  await cut;
  assert.equal((await post("act", { t: "ping" }, bearer)).status, 401);
  // The page still vouches, so the person comes back by its word.
  await until("a new session", async () => {
    const now = await phone.evaluate(() => sessionStorage.getItem("deskbridge:widget"));
    return now && now !== bearer;
  });
  await elsewhere.close();
});
console.log("ok");
