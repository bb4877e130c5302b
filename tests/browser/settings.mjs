// What an admin changes daily, changed on the pages themselves: it is said to be saved, it is in force, and it stands there
// when the page is opened again. What a technician may change is there for a technician, and nothing else.
import { bothThemes, line, signedIn } from "./console.mjs";
import { assert, shoot, stage, until } from "./lib.mjs";

const more = '[queues.network]\npriority = 2\n[[technicians]]\nname = "Ana Silva"\nid = "ana"\nemail = "ana@example.com"\nrole = "admin"\ncapacity = 100\n';
const complaints = [];

await stage({ telegram: false, more, context: { viewport: { width: 1440, height: 900 } } }, async ({ program, context, browser }) => {
  const desk = await signedIn(program, context, "ana");
  const sheets = desk.getByRole("navigation", { name: "Settings" });
  const sheet = async (name) => {
    await sheets.getByRole("button", { name }).click();
    await desk.getByRole("heading", { name, level: 2 }).waitFor();
  };
  /** Away and back: what stands there then was read anew. */
  const again = async (name) => {
    await sheet(name === "Channels" ? "Queues" : "Channels");
    await sheet(name);
  };
  const saved = (label) => desk.locator(".toast", { hasText: `${label}: saved` }).last().waitFor();
  const api = (path, page = desk) => page.evaluate(async (at) => (await (await fetch(`/api/v1${at}`)).json()).data, path);
  const setting = async (path) => (await api("/settings")).find((one) => one.path === path);
  const row = (label) => desk.locator("form.setting", { has: desk.getByText(label, { exact: true }) });

  await desk.getByRole("button", { name: "Settings" }).click();
  await sheet("Queues");
  // What the file sets is shown, and not to be changed.
  assert.ok(await desk.getByLabel("Priority", { exact: true }).isDisabled());
  await desk.getByLabel("Allocation").selectOption("load-based");
  await saved("Allocation");
  for (const [label, path, text, value] of [
    ["An offer is good for", "queues.network.timers.offer", "90s", "90s"],
    ["Longest wait", "queues.network.timers.max_wait", "25m", undefined],
    ["Skills asked for", "queues.network.skills", "vpn, sap", undefined],
    ["Time zone", "queues.network.timezone", "Europe/Lisbon", "Europe/Lisbon"],
    ["Opening hours", "queues.network.hours", "mon-fri 00:00-24:00\nsat-sun 08:00-20:00", undefined],
    ["Holidays", "queues.network.holidays", "2030-12-25, 2030-12-26", undefined],
  ]) {
    await desk.getByLabel(label, { exact: true }).fill(text);
    await row(label).getByRole("button", { name: "Save" }).click();
    await saved(label);
    const now = await setting(path);
    assert.equal(now?.from, "console", path);
    if (value !== undefined) assert.equal(now.value, value, path);
    else assert.ok(now.value, path);
  }
  assert.equal((await setting("queues.network.allocation")).value, "load-based");
  await again("Queues");
  assert.equal(await desk.getByLabel("Allocation").inputValue(), "load-based");
  assert.equal(await desk.getByLabel("An offer is good for").inputValue(), "90s");
  assert.equal(await desk.getByLabel("Opening hours").inputValue(), "mon-fri 00:00-24:00\nsat-sun 08:00-20:00");
  assert.equal(await desk.getByLabel("Holidays").inputValue(), "2030-12-25, 2030-12-26");
  // What is wrong is said, and nothing is changed.
  await desk.getByLabel("Time zone").fill("Nowhere/Land");
  await row("Time zone").getByRole("button", { name: "Save" }).click();
  await desk.getByRole("alert").filter({ hasText: "timezone" }).waitFor();
  assert.equal((await setting("queues.network.timezone")).value, "Europe/Lisbon");
  await shoot(desk, "settings-refused");
  // And back to the default.
  await again("Queues");
  await row("An offer is good for").getByRole("button", { name: "Take the default" }).click();
  await until("the default", async () => (await setting("queues.network.timers.offer"))?.from !== "console");

  await sheet("Rules");
  await desk.getByLabel("A late message reopens within").fill("2d");
  await row("A late message reopens within").getByRole("button", { name: "Save" }).click();
  await saved("A late message reopens within");
  await desk.getByLabel("A ticket is opened at").selectOption("claim");
  await saved("A ticket is opened at");
  await again("Rules");
  assert.equal(await desk.getByLabel("A ticket is opened at").inputValue(), "claim");
  assert.equal(await desk.getByLabel("A late message reopens within").inputValue(), "2d");

  // Somebody new, and what is set for them changed: nothing else of it is lost.
  await sheet("Technicians");
  await desk.getByRole("button", { name: "Add a technician" }).click();
  const form = (name) => desk.getByRole("form", { name });
  await form("Add a technician").getByLabel("Name").fill("Zoe Kern");
  await form("Add a technician").getByLabel("E-mail address").fill("zoe@example.com");
  await form("Add a technician").getByLabel("Skills").fill("vpn, sap");
  await form("Add a technician").getByLabel("Identities").fill("widget:4711");
  complaints.push(...(await bothThemes(desk, "settings-new-technician")));
  await form("Add a technician").getByRole("button", { name: "Add" }).click();
  await desk.getByText(/^Zoe Kern was added/).waitFor();
  const zoe = async () => (await api("/technicians")).find((one) => one.id === "zoe-kern");
  assert.equal((await zoe()).capacity, 4);
  await desk.getByRole("button", { name: "Change Zoe Kern" }).click();
  const change = form("Change Zoe Kern");
  assert.deepEqual(await Promise.all(["Name", "E-mail address", "Role", "Conversations at once", "Skills", "Identities"].map((label) => change.getByLabel(label).inputValue())),
    ["Zoe Kern", "zoe@example.com", "technician", "4", "vpn, sap", "widget:4711"]);
  await change.getByLabel("Conversations at once").fill("7");
  await change.getByLabel("Skills").fill("vpn, sap, mail");
  await change.getByLabel("Languages").fill("en, de");
  complaints.push(...(await bothThemes(desk, "settings-technician")));
  await change.getByRole("button", { name: "Save" }).click();
  await desk.getByText("Zoe Kern: saved").waitFor();
  assert.equal((await zoe()).capacity, 7);
  await desk.getByRole("button", { name: "Change Zoe Kern" }).click();
  assert.deepEqual(await Promise.all(["Conversations at once", "Skills", "Languages", "Identities"].map((label) => change.getByLabel(label).inputValue())), ["7", "vpn, sap, mail", "en, de", "widget:4711"]);
  await change.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await desk.getByRole("button", { name: "Change Bob" }).count(), 0, "who stands in the file is changed there");

  // In another role she is signed out where she is, without anything of hers being loaded again.
  const hers = await browser.newContext({ locale: "en-GB", viewport: { width: 1200, height: 800 } });
  hers.setDefaultTimeout(60_000);
  const other = await signedIn(program, hers, "zoe-kern");
  await other.evaluate(() => (window.neverReloaded = true));
  await desk.getByRole("button", { name: "Change Zoe Kern" }).click();
  await change.getByLabel("Role").selectOption("supervisor");
  await change.getByRole("button", { name: "Save" }).click();
  await other.getByText("Your session is over").waitFor();
  await other.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.ok(await other.evaluate(() => window.neverReloaded));
  await hers.close();

  // Canned replies: everybody's by an admin, one's own by a technician.
  await sheet("Canned replies");
  const write = async (page, shortcut, text) => {
    await page.getByRole("button", { name: "Add a reply" }).click();
    await page.getByLabel("Shortcut").fill(shortcut);
    await page.getByLabel("Text").fill(text);
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("li.setting", { hasText: `/${shortcut}` }).waitFor();
  };
  await write(desk, "bye", "Bye {{requester}}");
  await desk.getByRole("button", { name: "Edit bye" }).click();
  await desk.getByLabel("Text").fill("Goodbye {{requester}}");
  await desk.getByRole("button", { name: "Save" }).click();
  await desk.locator("li.setting", { hasText: "Goodbye {{requester}}" }).waitFor();
  await write(desk, "odd", "to be removed");
  await desk.getByRole("button", { name: "Remove odd" }).click();
  await desk.locator("li.setting", { hasText: "/odd" }).waitFor({ state: "detached" });
  assert.deepEqual((await api("/canned")).map(({ shortcut, text, shared }) => [shortcut, text, shared]), [["bye", "Goodbye {{requester}}", true]]);
  const bobs = await browser.newContext({ locale: "en-GB", viewport: { width: 1200, height: 800 } });
  bobs.setDefaultTimeout(60_000);
  const bob = await signedIn(program, bobs, "bob", "bob@example.com");
  await bob.getByRole("button", { name: "Settings" }).click();
  await bob.getByRole("heading", { name: "Canned replies", level: 2 }).waitFor();
  assert.deepEqual(await bob.getByRole("navigation", { name: "Settings" }).getByRole("button").allInnerTexts(), ["Canned replies"]);
  await bob.locator("li.setting", { hasText: "Goodbye" }).waitFor();
  assert.equal(await bob.getByRole("button", { name: "Edit bye" }).count(), 0, "everybody's is not his to change");
  await bob.getByRole("button", { name: "Add a reply" }).click();
  assert.equal(await bob.getByLabel("For everybody").count(), 0);
  await bob.getByRole("button", { name: "Cancel" }).click();
  await write(bob, "mine", "Only mine");
  complaints.push(...(await bothThemes(bob, "settings-of-a-technician")));
  await bob.getByRole("button", { name: "Edit mine" }).click();
  await bob.getByLabel("Text").fill("Mine, changed");
  await bob.getByRole("button", { name: "Save" }).click();
  await bob.locator("li.setting", { hasText: "Mine, changed" }).waitFor();
  assert.deepEqual((await api("/canned", bob)).map((one) => one.shortcut), ["bye", "mine"]);
  assert.deepEqual((await api("/canned")).map((one) => one.shortcut), ["bye"]);
  await bob.getByRole("button", { name: "Remove mine" }).click();
  await bob.locator("li.setting", { hasText: "/mine" }).waitFor({ state: "detached" });

  // A token: shown once, good for what it says, and worthless at once.
  await sheet("API tokens");
  await desk.getByLabel("What it is for").fill("a script");
  await desk.getByRole("button", { name: "Make it" }).click();
  const token = (await desk.locator(".secret code").innerText()).trim();
  assert.match(token, /^dbp_[0-9a-f]{48}$/);
  complaints.push(...(await bothThemes(desk, "settings-token")));
  const status = async (path) => (await fetch(`${program.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
  assert.deepEqual([await status("/conversations"), await status("/tickets")], [200, 403]);
  await again("API tokens");
  assert.ok(!(await desk.locator("main").innerText()).includes(token), "shown once");
  await desk.getByRole("button", { name: "Revoke a script" }).click();
  await desk.getByRole("button", { name: "Revoke a script" }).waitFor({ state: "detached" });
  assert.equal(await status("/conversations"), 401);
  // Disabled on the page: out at once, as well.
  await sheet("Technicians");
  await desk.getByRole("button", { name: "Disable Bob" }).click();
  await bob.getByRole("heading", { name: "Sign in" }).waitFor();
  await desk.getByRole("button", { name: "Enable Bob" }).waitFor();

  // Saved views and people in the search.
  await desk.getByRole("button", { name: "Chat", exact: true }).click();
  await desk.locator("#search").fill("assignee:me priority:high");
  await desk.getByRole("button", { name: "Save this search" }).click();
  await desk.getByLabel("Name of the view").fill("Hot and mine");
  await desk.keyboard.press("Enter");
  const kept = desk.getByRole("group", { name: "Saved views" }).getByRole("button", { name: "Hot and mine", exact: true });
  await kept.waitFor();
  await desk.locator("#search").fill("@ana");
  await desk.locator(".found").getByRole("heading", { name: "Technicians" }).waitFor();
  complaints.push(...(await bothThemes(desk, "saved-views")));
  await desk.locator(".found").getByRole("button", { name: /^Ana Silva/ }).click();
  assert.equal((await desk.locator("#search").inputValue()).trim(), "assignee:ana");
  await desk.reload();
  await kept.click();
  assert.equal(await desk.locator("#search").inputValue(), "assignee:me priority:high");
  await desk.getByRole("button", { name: "Forget the view Hot and mine" }).click();
  await kept.waitFor({ state: "detached" });
  assert.equal(await line(desk, "anybody").count(), 0);
  assert.deepEqual(complaints, [], "axe");
});
console.log("ok");
