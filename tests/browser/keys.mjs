// Every key of the console, pressed, with what it does; nothing here is clicked. What the list of keys says and this does
// not press fails: so does a key that is told and does nothing.
// Not here: what the acts mean (scenarios), how the parts look (desk.mjs, web/console/tests).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asks, chosen, line, log, signedIn } from "./console.mjs";
import { assert, shoot, stage, until } from "./lib.mjs";

// An offer stands as long as the slowest machine takes to decline it.
const more = `[queues.default.timers]\noffer = "1h"\n[tickets]\ncreate = "manual"\n[[technicians]]\nname = "Ana Silva"\nid = "ana"\nemail = "ana@example.com"\nrole = "admin"\ncapacity = 100\npresence = "offline"\n`;
const PEOPLE = { "Li Wei": 301, "Tom Ford": 302, "Joao Pires": 303, "Eva Maas": 304, "Zoe Kern": 305, "Max Horn": 306 };

/** Rows of the list of keys that were pressed here. */
const tried = new Set();
const key = (row) => tried.add(row);

await stage({ start: false, more, context: { viewport: { width: 1440, height: 900 } } }, async ({ program, telegram, context, browser }) => {
  // As long as the slowest machine takes to press Ctrl+Z.
  const file = join(program.folder, "deskbridge.toml");
  writeFileSync(file, readFileSync(file, "utf8").replace('undo_window = "0s"', 'undo_window = "60s"'));
  await program.start();
  const desk = await signedIn(program, context, "ana");
  const bobs = await browser.newContext({ locale: "en-GB", viewport: { width: 1200, height: 800 } });
  bobs.setDefaultTimeout(60_000);
  const bob = await signedIn(program, bobs, "bob", "bob@example.com");

  const press = (one) => desk.keyboard.press(one);
  /** Away from every field, where letters are keys. */
  const idle = (page = desk) => page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  const focused = (id) => until(`the focus on ${id}`, () => desk.evaluate((name) => document.activeElement?.id === name, id));
  const holds = (words) => until(`the composer holds “${words}”`, async () => (await desk.locator("#composer").inputValue()) === words);
  const toast = (words, page = desk) => page.locator(".toasts, .toast").getByText(words).first().waitFor();
  const state = (words, page = desk) => page.locator("header.head .state", { hasText: words }).waitFor();
  const tab = (name, page = desk) => page.getByRole("tab", { name, selected: true }).waitFor();
  const dialog = (name) => desk.getByRole("dialog", { name });
  const gone = (name) => dialog(name).waitFor({ state: "detached" });
  /** Two letters in a row: a pause between them is another key, so a machine that was away for long tries once more. */
  const then = (first, second, selected) =>
    until(`${first} then ${second}`, async () => {
      await idle();
      await press(first);
      await press(second);
      return (await desk.getByRole("tab", { selected: true }).first().innerText()).startsWith(selected);
    });
  /** To somebody's conversation, from the search, by keyboard. */
  const to = async (name, page = desk) => {
    const type = page.keyboard;
    const searching = () => until("the focus in the search", () => page.evaluate(() => document.activeElement?.id === "search"));
    await idle(page);
    await type.press("f");
    await searching();
    await type.press("Control+a");
    await type.type(name);
    await until(`only ${name}`, async () => (await line(page, name).count()) === 1 && (await page.locator("[role=listbox] [role=option]").count()) === 1);
    await type.press("ArrowDown");
    await until("a line with the focus", () => page.evaluate(() => document.activeElement?.getAttribute("role") === "option"));
    await type.press("Enter");
    await page.getByRole("heading", { name: new RegExp(name) }).waitFor();
    await type.press("f");
    await searching();
    await type.press("Escape");
    await until("an empty search", async () => (await page.locator("#search").inputValue()) === "");
    await idle(page);
    await log(page).waitFor();
  };

  // D: on and off duty.
  await idle();
  for (const presence of ["available", "offline"]) {
    await press("d");
    await until(presence, async () => (await desk.getByRole("combobox", { name: "Your presence" }).inputValue()) === presence);
  }
  key("D");

  for (const [name, id] of Object.entries(PEOPLE)) await asks(telegram, id, name, `this is ${name}, the vpn says error 691, I want to talk to a human`);
  await desk.getByRole("tab", { name: /Unassigned\s*6/ }).waitFor();

  // Somebody is offered one, and declines it.
  await idle(bob);
  await until("Bob at the one that is offered to him", async () => {
    if (await bob.getByRole("tab", { name: /^Unassigned/, selected: true }).count()) return true;
    await bob.keyboard.press("g");
    await bob.keyboard.press("u");
    return false;
  });
  await bob.keyboard.press("j");
  await bob.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "Decline" }).waitFor();
  await idle(bob);
  await bob.keyboard.press("Shift+A");
  await toast("Declined", bob);
  await bob.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "Decline" }).waitFor({ state: "detached" });
  key("Shift+A");

  // G and a letter: the views.
  for (const [letter, name] of [["a", "All"], ["i", "AI"], ["m", "Mine"], ["u", "Unassigned"]]) await then("g", letter, name);
  key("G then M U I A");

  // J and K, with and without Alt.
  const at = async () => (await chosen(desk).locator(".name").innerText()).trim();
  const moved = (from) => until(`another than ${from}`, async () => (await chosen(desk).count()) === 1 && (await at()) !== from && (await at()));
  await press("j");
  const first = await moved("");
  await press("j");
  const second = await moved(first);
  await press("k");
  assert.equal(await moved(second), first);
  await press("Alt+j");
  assert.equal(await moved(first), second);
  await press("Alt+k");
  assert.equal(await moved(second), first);
  key("J / K");

  // Search; Ctrl+F takes the browser's place.
  await press("f");
  await focused("search");
  await press("Escape");
  await idle();
  await press("Control+f");
  await focused("search");
  await press("Escape");
  key("F");

  // The palette: a command, a number, a person, a place.
  const palette = async (text, choice) => {
    await idle();
    await press("Control+k");
    await dialog("Search or run").waitFor();
    await desk.keyboard.type(text);
    await desk.locator("#commands [role=option][aria-selected=true]", { hasText: choice }).waitFor();
    await press("Enter");
    await gone("Search or run");
  };
  await palette("/settings/audit", "Settings: Audit log");
  await desk.getByRole("heading", { name: "Audit log" }).waitFor();
  await palette("/settings", "Settings");
  await desk.getByRole("navigation", { name: "Settings" }).waitFor();
  // The dialog gives the focus back where it was, which may be a field: then the first Escape only leaves that.
  await until("Escape leaves the settings", async () => {
    await idle();
    await press("Escape");
    return desk.getByRole("region", { name: "Chat list" }).isVisible();
  });
  await palette("@bo", "Bob");
  await until("what Bob has", async () => (await desk.locator("#search").inputValue()).trim() === "assignee:bob");
  await palette("@zoe", "Zoe Kern");
  await desk.getByRole("heading", { name: /Zoe Kern/ }).waitFor();
  const number = /#(\d+)/.exec(await desk.locator("header.head h2").innerText())[1];
  await palette(">keys", "Keys");
  await dialog("Keys").waitFor();
  await press("Escape");
  await gone("Keys");
  await to("Tom Ford");
  await palette(`#${number}`, `Open #${number}`);
  await desk.getByRole("heading", { name: /Zoe Kern/ }).waitFor();
  key("Ctrl/⌘ K");
  await press("f");
  await press("Escape");

  // Help: what it tells of is what is pressed here.
  await idle();
  await press("?");
  await dialog("Keys").waitFor();
  const told = await dialog("Keys").locator("dt").allInnerTexts();
  await press("Escape");
  await gone("Keys");
  key("?");
  key("Esc");

  // Accept; reply and note, by letter and by chord, with two drafts.
  await to("Li Wei");
  await press("a");
  await state("Ana Silva has it");
  await tab(/^Mine/);
  key("A");
  await press("n");
  await focused("composer");
  await desk.getByRole("tab", { name: /^Note/, selected: true }).waitFor();
  await desk.keyboard.type("@bo");
  await desk.getByRole("listbox", { name: "Mention" }).waitFor();
  await press("Enter");
  await holds("@bob ");
  key("@ in a note");
  await press("Alt+l");
  await desk.getByRole("tab", { name: /^Reply/, selected: true }).waitFor();
  await holds("");
  await press("Alt+p");
  await holds("@bob ");
  await desk.keyboard.type("see 4711");
  await press("Control+Enter");
  await log(desk).locator("[data-audience=internal]", { hasText: "see 4711" }).waitFor();
  key("N");
  await idle();
  await press("r");
  await focused("composer");
  await desk.getByRole("tab", { name: /^Reply/, selected: true }).waitFor();
  key("R");

  // Sent, taken back, sent again, changed.
  await desk.keyboard.type("Your password is hunter2");
  await press("Control+Enter");
  await log(desk).getByText("hunter2").waitFor();
  await desk.getByText(/Goes out in \d+ s/).waitFor();
  await press("Control+z");
  await holds("Your password is hunter2");
  key("Ctrl/⌘ Z");
  await press("Control+a");
  await desk.keyboard.type("Please try port 443");
  await press("Control+Enter");
  await log(desk).locator(".bubble", { hasText: "port 443" }).waitFor();
  await holds("");
  key("Ctrl/⌘ Enter");
  await focused("composer");
  await press("ArrowUp");
  await desk.getByLabel("New words").waitFor();
  await press("End");
  await desk.keyboard.type("0");
  await press("Enter");
  await log(desk).locator(".bubble", { hasText: "port 4430" }).waitFor();
  await focused("composer");
  key("↑ in an empty composer");

  // A canned reply, made on its page by keyboard alone.
  await palette("/settings/canned", "Canned replies");
  await desk.getByRole("button", { name: "Add a reply" }).focus();
  await press("Enter");
  await desk.getByLabel("Shortcut").waitFor();
  await desk.getByLabel("Shortcut").focus();
  await desk.keyboard.type("bye");
  await press("Tab");
  await desk.keyboard.type("Bye {{requester}}");
  await desk.getByRole("button", { name: "Save" }).focus();
  await press("Enter");
  await desk.locator("li.setting", { hasText: "Bye {{requester}}" }).waitFor();
  await desk.getByRole("button", { name: "Add a reply" }).waitFor();
  await idle();
  await press("Escape");
  // What a key does needs its place to be there.
  await desk.locator("#composer").waitFor();
  await press("r");
  await focused("composer");
  await desk.keyboard.type("/by");
  await desk.getByRole("option", { name: /\/bye/ }).waitFor();
  await press("Enter");
  await holds("Bye Li Wei");
  key("/ in the composer");
  await press("Control+a");
  await press("Delete");

  // What the assistant has: a suggestion into the composer, the summary anew.
  await press("Escape");
  await idle();
  await press("g");
  await desk.getByText("Suggested reply").waitFor();
  await press("r");
  await focused("composer");
  await press("Tab");
  await until("inserted", async () => (await desk.locator("#composer").inputValue()).length > 20);
  key("G");
  await press("Control+a");
  await press("Delete");
  await press("Escape");
  await idle();
  const [written] = await Promise.all([desk.waitForResponse((answer) => answer.url().endsWith("/actions/summary")), press("m")]);
  assert.equal(written.status(), 200);
  await desk.locator(".summary", { hasText: /intent/i }).waitFor();
  key("M");

  // Marks, the ticket, the panel.
  await press("l");
  await dialog("Labels").waitFor();
  await desk.keyboard.type("vpn");
  await press("Enter");
  await desk.getByRole("button", { name: "Take vpn off" }).waitFor();
  await press("Escape");
  await gone("Labels");
  await desk.getByRole("button", { name: "Label vpn: show all" }).waitFor();
  key("L");
  await idle();
  await press("p");
  await dialog("Priority").waitFor();
  await press("Tab");
  await press("Enter");
  await desk.getByRole("button", { name: /^Priority: (High|Urgent|Critical)/ }).waitFor();
  await gone("Priority");
  key("P");
  await idle();
  await press("Shift+T");
  await desk.locator("section", { has: desk.getByRole("heading", { name: "Ticket" }) }).getByText(/T-\d{6}/).first().waitFor();
  key("Shift+T");
  const panel = desk.getByRole("heading", { name: /Chat summary/ });
  await idle();
  await press("\\");
  await panel.waitFor({ state: "detached" });
  await press("\\");
  await panel.waitFor();
  key("\\");

  // Invite, snooze, transfer: each to its end from the keyboard.
  await press("i");
  await dialog("Invite").waitFor();
  await desk.keyboard.type("bo");
  await press("Tab");
  await press("Enter");
  await gone("Invite");
  await desk.locator("dl.facts div", { hasText: "Invited" }).getByText("Bob").waitFor();
  key("I");
  await idle();
  await press("s");
  await dialog("Snooze").waitFor();
  await until("the first choice with the focus", () => desk.evaluate(() => document.activeElement?.textContent === "30m"));
  await press("Enter");
  await gone("Snooze");
  await desk.getByRole("tab", { name: /^Snoozed\s*1/ }).waitFor();
  key("S");
  await telegram.do("private_message", { user: PEOPLE["Li Wei"], text: "here again" });
  await log(desk).getByText("here again").waitFor();
  await desk.getByRole("tab", { name: "Snoozed", exact: true }).waitFor();
  await idle();
  await press("t");
  await dialog("Transfer").waitFor();
  await desk.keyboard.type("bo");
  await press("Tab");
  await press("Enter");
  await gone("Transfer");
  await to("Li Wei", bob);
  await bob.keyboard.press("a");
  await state("Bob has it", bob);
  await state("Bob has it");
  key("T");
  // Taken over, and back to the assistant.
  await idle();
  await press("a");
  await state("Ana Silva has it");
  await palette("hand back", "Hand back to the assistant");
  await desk.locator("header.head .state[data-state=assisting]").waitFor();

  // Ends: one, with the last words, and on to the next.
  await to("Tom Ford");
  await press("a");
  await state("Ana Silva has it");
  await press("e");
  await desk.locator("header.head .state[data-state=resolved], header.head .state[data-state=closed]").waitFor();
  key("E");
  await to("Joao Pires");
  await press("a");
  await state("Ana Silva has it");
  await press("r");
  await focused("composer");
  await desk.keyboard.type("It works again, goodbye");
  await press("Control+Shift+Enter");
  await desk.locator("header.head .state[data-state=resolved], header.head .state[data-state=closed]").waitFor();
  // Resolving lets go what was held.
  await until("the last words on Telegram", async () => (await telegram.do("messages", { chat: PEOPLE["Joao Pires"] })).some((one) => one.text?.includes("goodbye")));
  key("Ctrl/⌘ Shift Enter");
  for (const name of ["Eva Maas", "Max Horn"]) {
    await to(name);
    await press("a");
    await state("Ana Silva has it");
  }
  await then("g", "m", "Mine");
  const last = await at();
  const other = last === "Eva Maas" ? "Max Horn" : "Eva Maas";
  await press("Control+Alt+e");
  await desk.getByRole("heading", { name: new RegExp(other) }).waitFor();
  await until("one left", async () => (await line(desk, last).count()) === 0);
  key("Ctrl/⌘ Alt E");

  // Back to the list, where the focus stays at the line that was open.
  await idle();
  await press("Escape");
  await desk.getByRole("heading", { name: "Choose a conversation" }).waitFor();

  // Enter sends until somebody turns that off: then it begins a line.
  await desk.getByRole("button", { name: /account and preferences/ }).focus();
  await press("Enter");
  await desk.getByLabel("Enter sends").focus();
  await press("Space");
  assert.equal(await desk.getByLabel("Enter sends").isChecked(), false);
  await press("Escape");
  await to(other);
  await press("r");
  await focused("composer");
  await desk.keyboard.type("one");
  await press("Enter");
  await desk.keyboard.type("two");
  await holds("one\ntwo");
  await press("Control+Enter");
  await log(desk).locator(".bubble", { hasText: "two" }).waitFor();
  await shoot(desk, "keys-end");

  const untried = told.map((row) => row.trim()).filter((row) => !tried.has(row));
  assert.deepEqual(untried, [], "told in the list of keys, and not pressed here");
});
console.log("ok");
