// The pictures of the README: a morning at an IT desk, with everything that is shown made up here. Not a test:
//   DESKBRIDGE_TEST_SHOTS=docs/images cargo xtask with -- node tests/browser/pictures.mjs
// (with DESKBRIDGE_TEST_PROGRAM and DESKBRIDGE_TEST_KNOWLEDGE set).
import { execFileSync } from "node:child_process";
import { shoot, stage, until, Widget } from "./lib.mjs";

const more = `[queues.default]\ntechnicians = ["ana", "bob"]\n
[[technicians]]\nname = "Ana Silva"\nid = "ana"\nemail = "ana@example.com"\nrole = "admin"\ncapacity = 100\n`;

async function signedIn(program, context, who) {
  const said = execFileSync(process.env.DESKBRIDGE_TEST_PROGRAM, ["user", "login-link", who, "--config", "deskbridge.toml"], { cwd: program.folder, env: { PATH: process.env.PATH }, encoding: "utf8" });
  const page = await context.newPage();
  await page.goto(`${program.url}/console/${/#welcome=[0-9a-f]{64}/.exec(said)[0]}`);
  if (who === "bob") await page.getByLabel("E-mail address").fill("bob@example.com");
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await page.getByLabel("Once more").fill("correct horse battery");
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("region", { name: "Chat list" }).waitFor();
  return page;
}

await stage({ telegram: false, more, widget: 'ask = ["name"]', context: { viewport: { width: 1440, height: 900 } } }, async ({ program, context, browser, site }) => {
  const visitor = async (name, text, human = true) => {
    const own = await browser.newContext({ locale: "en-GB" });
    const page = await own.newPage();
    await page.goto(site.url);
    const widget = new Widget(page);
    await widget.open();
    await widget.say(text);
    await widget.panel.getByLabel("Your name").fill(name);
    await widget.panel.getByRole("button", { name: "Continue" }).click();
    await widget.panel.locator(".msg.assistant").first().waitFor();
    if (human) {
      await widget.panel.getByRole("button", { name: "Talk to a human" }).click();
      await widget.sees("Waiting for a technician");
    }
    return widget;
  };
  const ana = await signedIn(program, context, "ana");
  const bobs = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const bob = await signedIn(program, bobs, "bob");
  const pick = async (page, name) => {
    await page.getByRole("tab", { name: /^All/ }).click();
    await page.locator("[role=option]", { hasText: name }).click();
    await page.getByRole("heading", { name: new RegExp(name) }).waitFor();
  };
  const say = async (page, text) => {
    await page.locator("#composer").fill(text);
    await page.locator("#composer").press("Control+Enter");
    await page.getByRole("log", { name: "Messages" }).getByText(text.slice(0, 20)).first().waitFor();
  };

  // One that was resolved before, so that there is something to be found again.
  const joao = await visitor("João Pereira", "VPN error 691 after I changed my password");
  await pick(ana, "João");
  await ana.keyboard.press("a");
  await ana.locator(".state", { hasText: "Ana Silva has it" }).waitFor();
  await say(ana, "Open the VPN client, delete the saved password and sign in with the new one.");
  await joao.sees("delete the saved password");
  await ana.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "Resolve" }).click();
  await ana.getByRole("button", { name: "Reopen" }).first().waitFor();

  await visitor("Li Wei", "The printer on floor 3 says paper jam, but there is none");
  await visitor("Ana Ferreira", "How do I set up the mail app on my new phone?", false);
  await visitor("Tom Becker", "My laptop does not see the docking station any more");
  const maria = await visitor("Maria Costa", "My VPN says error 691 since this morning");
  await pick(bob, "Tom");
  await bob.keyboard.press("a");
  await bob.locator(".state", { hasText: "Bob has it" }).waitFor();
  await say(bob, "I am on my way with another dock.");

  await pick(ana, "Maria");
  await ana.keyboard.press("a");
  await ana.locator(".state", { hasText: "Ana Silva has it" }).waitFor();
  await ana.getByRole("button", { name: "+ Label" }).click();
  for (const label of ["vpn", "remote"]) {
    await ana.getByLabel("Add a label").fill(label);
    await ana.keyboard.press("Enter");
    await ana.getByRole("button", { name: `Take ${label} off` }).waitFor();
  }
  await ana.keyboard.press("Escape");
  await ana.getByRole("button", { name: /^Priority/ }).click();
  await ana.getByRole("dialog", { name: "Priority" }).getByRole("button", { name: "High" }).click();
  await ana.getByRole("button", { name: "Priority: High. Change" }).waitFor();
  await say(ana, "Hello Maria! Did you change your password in the last days?");
  await maria.sees("Did you change your password");
  await maria.say("Yes, I changed my password yesterday evening");
  await ana.getByRole("log", { name: "Messages" }).getByText("yesterday evening").first().waitFor();
  await pick(bob, "Maria");
  await bob.getByRole("tab", { name: /Note/ }).click();
  await say(bob, "The VPN gateway keeps the old one for an hour, see the change of last night.");
  await ana.getByRole("log", { name: "Messages" }).getByText("The VPN gateway keeps").first().waitFor();
  await bob.locator("#composer").pressSequentially("I can", { delay: 20 });
  await ana.locator("#composer").press("Escape");
  await ana.keyboard.press("g");
  await ana.getByText("Suggested reply").waitFor();
  await until("quiet", async () => (await ana.locator(".toast").count()) === 0);
  await ana.getByRole("tab", { name: /^All/ }).click();
  await bob.locator("#composer").pressSequentially(" have a look", { delay: 20 });
  // Hints are rare on purpose; the next one comes when the last is some seconds old.
  await until("typing", async () => {
    await maria.box.pressSequentially("a", { delay: 20 });
    return (await ana.locator(".typing").count()) > 0;
  });
  await ana.getByText("Bob is writing").waitFor();
  await ana.evaluate(() => document.activeElement?.blur());
  await shoot(ana, "console");
  // The widget by itself, as Maria has it.
  await maria.box.fill("");
  for (const [colorScheme, name] of [["light", "widget"], ["dark", "widget-dark"]]) {
    await maria.page.emulateMedia({ colorScheme });
    await shoot(maria.panel, name);
  }
  await ana.emulateMedia({ colorScheme: "dark" });
  await shoot(ana, "console-dark");
});
