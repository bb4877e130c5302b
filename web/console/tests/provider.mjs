// Signing in with the company's provider, in a real browser, at a provider by others (npm `oidc-provider`): in, out and in
// again, turned back there, refused here, and what an admin sees of it.
// Not here: attacks (tests/it/api/console/oidc.rs), the workspace (browser.mjs).

import { Bridge, base, bothThemes, must, tell } from "./rig.mjs";

const issuer = process.env.PROVIDER_URL;
const step = (name) => console.log(`· ${name}`);
const complaints = [];
const bridge = new Bridge();
let browser;
let page;

const button = () => page.getByRole("button", { name: "Sign in with Example Login" });

/** At the provider: who one is, and yes to what it asks. */
async function there(who) {
  await page.waitForURL(`${issuer}/interaction/**`);
  await page.locator("input[name=login]").fill(who);
  await page.locator("input[name=password]").fill("anything");
  await page.locator("button[type=submit]").click();
  await page.getByRole("button", { name: "Continue" }).click();
}

/** The provider has forgotten this browser. */
async function forgotten() {
  await browser.context.clearCookies({ domain: new URL(issuer).hostname });
}

async function signOut() {
  await page.getByRole("button", { name: /account and preferences/ }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await button().waitFor();
}

async function story() {
  step("the page offers it");
  await page.goto(`${base}/console/#7`);
  await button().waitFor();
  complaints.push(...(await bothThemes(browser, page, "sign-in-provider")));

  step("there and back");
  await button().click();
  await there("eva");
  await page.getByRole("region", { name: "Chat list" }).waitFor();
  must(page.url() === `${base}/console/#7`, `back where she was going, and nothing of it in the address: ${page.url()}`);
  const cookies = await browser.context.cookies(base);
  const own = cookies.find((one) => one.name === "__Host-deskbridge");
  must(own?.secure && own.httpOnly && own.sameSite === "Strict", "a session like any other");
  must(!cookies.some((one) => one.name === "__Host-deskbridge-oidc"), "what was begun is over");
  const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  must(!/code|state|[A-Za-z0-9_-]{40}/.test(kept), `nothing of it is kept: ${kept}`);

  step("out, and in again without being asked");
  await signOut();
  await button().click();
  await page.getByRole("region", { name: "Chat list" }).waitFor();

  step("turned back there");
  await signOut();
  await forgotten();
  await button().click();
  await page.waitForURL(`${issuer}/interaction/**`);
  await page.getByRole("link", { name: /Cancel/ }).click();
  await page.getByRole("alert").filter({ hasText: "Example Login did not let you in" }).waitFor();
  must(page.url() === `${base}/console/`, "nothing of it in the address");

  step("refused here: somebody with an address that nobody vouches for");
  await button().click();
  await there("mallory");
  await page.getByRole("alert").filter({ hasText: "does not vouch for your e-mail address" }).waitFor();
  complaints.push(...(await bothThemes(browser, page, "sign-in-refused")));
  must((await page.getByRole("region", { name: "Chat list" }).count()) === 0, "nobody is in");

  step("an answer that is brought here a second time, or by somebody else");
  await page.goto(`${base}/console/oidc?code=planted&state=planted&iss=${encodeURIComponent(issuer)}`);
  await page.getByRole("alert").filter({ hasText: "not begun in this browser" }).waitFor();
  must(page.url() === `${base}/console/`, "nothing of it in the address");
  await page.goto(`${base}/console/oidc`);
  await page.getByRole("alert").filter({ hasText: "incomplete" }).waitFor();

  step("an admin, and what they see of it");
  await forgotten();
  await button().click();
  await there("max");
  await page.getByRole("button", { name: "Settings" }).click();
  const settings = page.getByRole("navigation", { name: "Settings" });
  await settings.getByRole("button", { name: "Technicians" }).click();
  await page.getByRole("row", { name: /Eva/ }).getByText("company account").waitFor();
  complaints.push(...(await bothThemes(browser, page, "settings-technicians-provider")));
  await page.getByRole("button", { name: "Unlink the company account of Eva" }).click();
  await page.getByRole("button", { name: "Unlink it" }).click();
  await page.getByText("Unlinked").waitFor();
  await settings.getByRole("button", { name: "Audit log" }).click();
  for (const act of ["signed in with Example Login", "does not vouch for the e-mail address", "took away by which account of the provider eva"]) {
    await page.getByRole("cell", { name: act }).first().waitFor();
  }
  must(complaints.length === 0, `axe is content:\n${complaints.join("\n")}`);
  must(browser.faults.length === 0, `no fault: ${browser.faults.join("\n")}`);
  const elsewhere = browser.outside.filter((url) => !url.startsWith(issuer));
  must(elsewhere.every((url) => url.includes("fonts.googleapis.com")), `nothing from elsewhere: ${elsewhere.join("\n")}`);
}

await tell("provider", bridge, complaints, async (opened, first) => {
  browser = opened;
  page = first;
  await story();
});
