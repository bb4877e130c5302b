// An OpenID provider as the npm package `oidc-provider` plays it, with three people: Eva and Max, whose addresses it vouches
// for, and Mallory, who says to have Max's.
// `node provider.mjs NODE_MODULES PORT REDIRECT_URI CLIENT_SECRET`; prints one line of JSON when it listens, ends with its input.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, port, redirect, client_secret] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(modules, "oidc-provider", "lib", "index.js")).href);

const PEOPLE = {
  eva: { email: "eva@example.com", email_verified: true, name: "Eva", groups: ["it"] },
  max: { email: "max@example.com", email_verified: true, name: "Max", groups: ["it", "leads"] },
  mallory: { email: "max@example.com", email_verified: false, name: "Max", groups: ["it"] },
};
// By a name of its own: for a browser it is another site than 127.0.0.1.
const issuer = `http://localhost:${port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: "deskbridge", client_secret, redirect_uris: [redirect], response_types: ["code"], grant_types: ["authorization_code"] }],
  cookies: { keys: ["only of these tests"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
  scopes: ["openid", "email", "profile", "groups"],
  pkce: { required: () => true },
  findAccount: (_, id) => PEOPLE[id] && { accountId: id, claims: () => ({ sub: `subject-of-${id}`, ...PEOPLE[id] }) },
});
const violations = [];
for (const event of ["authorization.error", "grant.error", "server_error"]) {
  provider.on(event, (_, error) => violations.push(`${event}: ${error.error} ${error.error_description ?? ""} ${error.error_detail ?? ""}`));
}
provider.listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify({ issuer })));
process.stdin.resume();
process.stdin.on("end", () => {
  // Somebody who turns back is no violation.
  for (const one of violations.filter((one) => !one.includes("access_denied"))) console.log(`violation: ${one}`);
  console.log("the end");
  process.exit(0);
});
