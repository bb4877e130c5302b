// Slack as the npm package `emulate` plays it, with one workspace in it: Ana asks, Bob helps, the app is installed.
// `node emulate.mjs NODE_MODULES PORT EVENTS_URL SIGNING_SECRET`; prints one line of JSON when it listens, ends with its input.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, port, events, signing_secret] = process.argv.slice(2);
const dist = join(modules, "emulate", "dist");
const chunk = (marker) =>
  pathToFileURL(join(dist, readdirSync(dist).find((name) => name.startsWith("dist-") && name.endsWith(".js")
    && readFileSync(join(dist, name), "utf8").includes(marker)))).href;
const { slackPlugin, getSlackStore } = await import(chunk("as default,\n  getSlackStore"));
const { createEmulator } = await import(pathToFileURL(join(dist, "api.js")).href);

// Its own ways of subscribing to events are for its other services; the plugin's registration has what is needed.
const register = slackPlugin.register;
let world;
slackPlugin.register = function (app, store, webhooks, ...rest) {
  register.call(this, app, store, webhooks, ...rest);
  webhooks.register({ url: events, owner: "slack", events: ["*"], active: true });
  world = getSlackStore(store);
  // Slack takes reads by GET and by POST, the emulator most of them by POST alone.
  const fetch = app.fetch;
  app.fetch = async (request) => {
    const url = new URL(request.url);
    if (request.method !== "GET" || !url.pathname.startsWith("/api/")) return fetch(request);
    const headers = new Headers(request.headers);
    headers.set("content-type", "application/x-www-form-urlencoded");
    return fetch(new Request(new URL(url.pathname, url), { method: "POST", headers, body: url.search.slice(1) }));
  };
};

const scopes = ["app_mentions:read", "assistant:write", "channels:history", "channels:join", "channels:read", "chat:write",
  "chat:write.customize", "commands", "files:read", "files:write", "groups:history", "groups:read", "im:history", "im:read",
  "im:write", "links:read", "links:write", "reactions:read", "reactions:write", "users:read", "users:read.email"];
const person = (name) => ({ name: name.toLowerCase(), real_name: name, email: `${name.toLowerCase()}@acme.example`,
  profile: { display_name: name } });
const token = (name, more = {}) => ({ token: `xoxp-${name}`, user: name, scopes, type: "user", ...more });
await createEmulator({
  service: "slack", port: Number(port), hostname: "127.0.0.1", baseUrl: `http://127.0.0.1:${port}`,
  seed: { slack: {
    team: { name: "Acme", domain: "acme" },
    users: [person("Ana"), person("Bob")],
    channels: [{ name: "it-desk" }],
    oauth_apps: [{ app_id: "A0DESK", client_id: "1.1", client_secret: "emulated", name: "IT Desk", redirect_uris: [],
      scopes, bot_id: "B0DESK", bot_user_id: "U0DESKBOT", bot_name: "it-desk-bot" }],
    tokens: [token("ana"), token("bob"), { token: "xoxb-desk", user_id: "U0DESKBOT", scopes, type: "bot",
      app_id: "A0DESK", bot_id: "B0DESK", bot_user_id: "U0DESKBOT" }],
    signing_secret, strict_scopes: true,
  } },
});
const desk = world.channels.findOneBy("name", "it-desk");
world.channels.update(desk.id, { members: [...new Set([...desk.members, "U0DESKBOT"])] });
const id = (name) => world.users.findOneBy("name", name).user_id;
console.log(JSON.stringify({ ana: id("ana"), bob: id("bob"), bot: "U0DESKBOT", desk: desk.channel_id }));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
