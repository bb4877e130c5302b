// The widget and the console side by side: both show who types, words change and go on either side, a page puts tags on,
// a technician labels, ranks, has a draft reworded, and finds people, tickets and how others were helped.
import { execFileSync } from "node:child_process";
import { axe, assert, shoot, stage, until, Widget } from "./lib.mjs";

const model = `engine = "openai"\nbase_url = "${process.env.DESKBRIDGE_TEST_OPENAI}"\nmodel = "fake-small"\napi_key = "${process.env.DESKBRIDGE_TEST_OPENAI_KEY}"\n`;
const ana = '[[technicians]]\nname = "Ana Silva"\nid = "ana"\nemail = "ana@example.com"\nrole = "admin"\ncapacity = 100\n';

/** Both themes of what the console shows: looked at by axe, and by people where somebody wants pictures. */
async function bothThemes(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await axe(page, "document"), [], `axe: ${name}, ${colorScheme}`);
    await shoot(page, `${name}-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

async function signedIn(program, context) {
  const said = execFileSync(process.env.DESKBRIDGE_TEST_PROGRAM, ["user", "login-link", "ana", "--config", "deskbridge.toml"], { cwd: program.folder, env: { PATH: process.env.PATH }, encoding: "utf8" });
  const secret = /#welcome=[0-9a-f]{64}/.exec(said)?.[0];
  assert.ok(secret, said);
  const page = await context.newPage();
  await page.goto(`${program.url}/console/${secret}`);
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await page.getByLabel("Once more").fill("correct horse battery");
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("region", { name: "Chat list" }).waitFor();
  await page.getByRole("combobox", { name: "Your presence" }).selectOption("available");
  return page;
}

/** A visitor of their own, on a page of their own. */
async function visitor(browser, site, name) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 900, height: 800 } });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  await page.goto(site.url);
  const widget = new Widget(page);
  await widget.open();
  return { page, widget, name, context };
}

const options = { telegram: false, widget: 'ask = ["name"]\ngreeting = "Hi! How can we help?"', assistant: model, more: ana, context: { viewport: { width: 1440, height: 900 } } };
await stage(options, async ({ program, site, context, browser }) => {
  site.script = "";
  const desk = await signedIn(program, context);
  // Nobody is asked for a name here; the earlier ones are only there to be found.
  const told = async (one, name) => {
    await one.widget.panel.getByLabel("Your name").fill(name);
    await one.widget.panel.getByRole("button", { name: "Continue" }).click();
  };

  const earlier = await visitor(browser, site);
  await earlier.widget.say("VPN error 691 after my password was changed");
  await told(earlier, "João Pereira");
  await earlier.widget.panel.locator(".msg.assistant").first().waitFor();
  await earlier.widget.panel.getByRole("button", { name: "Talk to a human" }).click();
  await desk.getByRole("tab", { name: /^All/ }).click();
  await desk.locator("[role=option]", { hasText: "João" }).click();
  await desk.keyboard.press("a");
  await desk.locator(".state", { hasText: "Ana Silva has it" }).waitFor();
  await desk.locator("#composer").fill("Delete the saved password in the VPN client and sign in again.");
  await desk.locator("#composer").press("Control+Enter");
  await earlier.widget.sees("Delete the saved password");
  await desk.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "Resolve" }).click();
  await desk.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "Reopen" }).waitFor();
  await earlier.context.close();

  const one = await visitor(browser, site);
  const { page, widget } = one;
  await page.evaluate(async () => {
    await $deskbridge.addTag("intranet");
    await $deskbridge.track("opened_article", { slug: "vpn-error-691" });
    await $deskbridge.setContext({ asset_tag: "PC-77" });
  });
  await widget.say("My VPN client says error 691 since this morning");
  await told(one, "Maria Costa");
  await widget.sees("691");
  await widget.panel.locator(".msg.assistant").first().waitFor();
  await widget.panel.getByRole("button", { name: "Talk to a human" }).click();
  await widget.sees("Waiting for a technician");

  // What the page said stands below the words; its tag is known by where it came from.
  await desk.getByRole("tab", { name: /^All/ }).click();
  await desk.locator("[role=option]", { hasText: "Maria" }).click();
  await desk.getByRole("log", { name: "Messages" }).getByText("PC-77").first().waitFor();
  await desk.getByRole("log", { name: "Messages" }).getByText("vpn-error-691").first().waitFor();
  await desk.getByRole("button", { name: "Label web.intranet: show all" }).waitFor();
  await desk.locator(".summary", { hasText: /intent/i }).waitFor();

  // Accept; typing on both sides.
  await desk.locator("body").press("Escape").catch(() => {});
  await desk.locator("[role=option]", { hasText: "Maria" }).click();
  await desk.keyboard.press("a");
  await widget.sees("With Ana Silva");
  await widget.box.pressSequentially("it is ", { delay: 30 });
  await desk.locator(".typing", { hasText: "Maria Costa is typing" }).waitFor();
  await shoot(desk, "desk-typing");
  await widget.box.fill("");
  await desk.locator("#composer").pressSequentially("Have you", { delay: 30 });
  await widget.panel.locator(".dots").waitFor();
  await desk.locator("#composer").fill("");

  // Labels by L, priority by P, without the mouse; and found by them.
  await desk.locator("#composer").press("Escape");
  await desk.keyboard.press("l");
  const labels = desk.getByRole("dialog", { name: "Labels" });
  await labels.waitFor();
  await desk.keyboard.type("VPN");
  await desk.keyboard.press("Enter");
  await labels.getByRole("button", { name: "Take vpn off" }).waitFor();
  await desk.keyboard.type("Floor 2");
  await desk.keyboard.press("Enter");
  await labels.getByRole("button", { name: "Take floor-2 off" }).waitFor();
  await bothThemes(desk, "desk-labels");
  await labels.getByRole("button", { name: "Take floor-2 off" }).click();
  await labels.getByRole("button", { name: "Take floor-2 off" }).waitFor({ state: "detached" });
  await desk.keyboard.press("Escape");
  await desk.locator("#conversation").focus();
  await desk.keyboard.press("p");
  const priority = desk.getByRole("dialog", { name: "Priority" });
  await priority.waitFor();
  await bothThemes(desk, "desk-priority");
  await priority.getByRole("button", { name: "High" }).click();
  await desk.getByRole("button", { name: "Priority: High. Change" }).waitFor();
  await desk.locator("[role=option]", { hasText: "Maria" }).getByText("#vpn").waitFor();
  await desk.getByRole("button", { name: "Label vpn: show all" }).click();
  await until("only hers", async () => (await desk.locator("[role=option]").count()) === 1);
  await desk.locator("#search").fill("priority:high");
  await until("only hers", async () => (await desk.locator("[role=option]").count()) === 1);

  // People over everything, also a closed conversation that no list holds; tickets by the server.
  await desk.locator("#search").fill("joao");
  const found = desk.locator(".found");
  await found.getByRole("heading", { name: "People" }).waitFor();
  await found.getByRole("button", { name: /^João Pereira/ }).waitFor();
  await desk.locator("#search").fill("T-000001");
  await found.getByRole("heading", { name: "Tickets" }).waitFor();
  await found.getByRole("button", { name: /^T-000001/ }).waitFor();
  await desk.locator("#search").fill("vpn");
  await found.getByRole("heading", { name: "Tickets" }).waitFor();
  await bothThemes(desk, "desk-search");
  await desk.locator("#search").fill("");

  // Own words in the console: said, changed by ↑, taken back; the widget follows.
  await desk.locator("#composer").fill("Please try port 443");
  await desk.locator("#composer").press("Control+Enter");
  await widget.sees("Please try port 443");
  // The widget may know of it before the console does, which changes what it shows.
  await desk.getByRole("button", { name: "Delete: Please try port 443" }).waitFor({ state: "attached" });
  await desk.locator("#composer").press("ArrowUp");
  const again = desk.getByLabel("New words");
  await again.waitFor();
  await bothThemes(desk, "desk-edit");
  await again.fill("Please try port 8443");
  await again.press("Enter");
  await widget.sees("Please try port 8443");
  await widget.panel.getByText("edited").waitFor();
  await desk.locator("#composer").fill("This was for somebody else");
  await desk.locator("#composer").press("Control+Enter");
  await widget.sees("This was for somebody else");
  await desk.getByRole("button", { name: "Delete: This was for somebody else" }).focus();
  await desk.keyboard.press("Enter");
  await desk.getByText("Delete it for the requester too?").waitFor();
  await bothThemes(desk, "desk-delete");
  await desk.keyboard.press("Enter");
  await widget.panel.getByText("Message deleted").waitFor();
  await until("gone", async () => !(await widget.bubbles()).some((text) => text.includes("somebody else")));

  // Own words in the widget, by keyboard: changed, taken back; and a reaction to those of others.
  await widget.say("It is on port 8443 alredy");
  await desk.getByRole("log", { name: "Messages" }).getByText("alredy").first().waitFor();
  const own = widget.panel.locator(".msg.me", { hasText: "alredy" });
  await own.getByRole("button", { name: "More" }).focus();
  await page.keyboard.press("Enter");
  await own.getByRole("button", { name: "Edit" }).waitFor();
  await page.keyboard.press("Enter");
  await shoot(page, "widget-edit");
  const words = widget.panel.getByRole("textbox", { name: "Edit" });
  await words.fill("It is on port 8443 already");
  await words.press("Enter");
  await widget.panel.locator(".msg.me .bubble", { hasText: "already" }).waitFor();
  await desk.getByRole("log", { name: "Messages" }).getByText("already").first().waitFor();
  await widget.say("oops");
  await desk.getByRole("log", { name: "Messages" }).getByText("oops").first().waitFor();
  const wrong = widget.panel.locator(".msg.me", { hasText: "oops" });
  await wrong.getByRole("button", { name: "More" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await wrong.getByRole("button", { name: "Really delete?" }).waitFor();
  await shoot(page, "widget-delete");
  await page.keyboard.press("Enter");
  await until("taken back", async () => !(await widget.own()).some((text) => text.includes("oops")));
  await until("taken back at the desk, too", async () => (await desk.getByRole("log", { name: "Messages" }).getByText("oops").count()) === 0);
  const hers = widget.panel.locator(".msg.technician", { hasText: "8443" });
  await hers.getByRole("button", { name: "More" }).focus();
  await page.keyboard.press("Enter");
  await hers.getByRole("button", { name: "React with 👍" }).waitFor();
  await shoot(page, "widget-react");
  await page.keyboard.press("Enter");
  await hers.locator(".react", { hasText: "👍" }).waitFor();
  assert.deepEqual(await axe(page, 'document.querySelector("deskbridge-widget")'), [], "axe: the widget with its tools");

  // The assistance area: a suggestion and what one thinks of it, a draft in other words, how another was helped.
  await desk.locator("#composer").press("Escape");
  await desk.keyboard.press("g");
  await desk.getByText("Suggested reply").waitFor();
  await desk.getByRole("button", { name: "It helped", exact: true }).click();
  await desk.locator('button[aria-pressed="true"][aria-label="It helped"]').waitFor();
  await desk.locator("#composer").fill("hey just reboot the thing ok");
  await desk.getByRole("button", { name: "Shorten" }).click();
  await until("shorter", async () => (await desk.locator("#composer").inputValue()) === "Please restart it.");
  await bothThemes(desk, "desk-assist");
  await desk.getByRole("button", { name: "My words again" }).click();
  await until("as before", async () => (await desk.locator("#composer").inputValue()) === "hey just reboot the thing ok");
  await desk.getByRole("heading", { name: "Resolved before" }).waitFor();
  await desk.locator(".assist summary", { hasText: "#1 VPN error 691" }).click();
  await desk.locator(".assist details[open]").getByText("Delete the saved password").waitFor();
  await desk.locator("#composer").fill("");
  await shoot(desk, "desk-similar");

  // A phone.
  await desk.setViewportSize({ width: 390, height: 844 });
  await bothThemes(desk, "desk-phone");
  assert.ok((await desk.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, "nothing sticks out of a phone");
  await desk.setViewportSize({ width: 1440, height: 900 });

  // The widget's sites among the settings, without their keys.
  await desk.getByRole("button", { name: "Settings" }).click();
  await desk.getByRole("button", { name: "Widget sites" }).click();
  await desk.getByRole("heading", { name: "widget", exact: true }).waitFor();
  assert.match(await desk.locator(".snippet").innerText(), /data-key="widget" integrity="sha384-/);
  await bothThemes(desk, "desk-sites");
});

// Without a model nothing is offered that only a model can do.
await stage({ telegram: false, more: ana, context: { viewport: { width: 1440, height: 900 } } }, async ({ program, context, browser, site }) => {
  const desk = await signedIn(program, context);
  const { widget } = await visitor(browser, site);
  await widget.say("I want to talk to a human");
  await desk.getByRole("tab", { name: /^All/ }).click();
  await desk.locator("[role=option]").first().click();
  await desk.getByRole("heading", { name: /AI assistance area/ }).waitFor();
  await desk.locator("#composer").fill("some words");
  assert.equal(await desk.getByRole("button", { name: "Shorten" }).count(), 0);
});
console.log("ok");
