// A desk on `@slack/bolt`, as its manual has it: what somebody writes to the app is posted into their thread of the desk's
// channel. Which thread is whose is in memory, and nothing else is kept.
// `node bolt.mjs API_BASE SIGNING_SECRET DESK`
import bolt from "@slack/bolt";

const [slackApiUrl, signingSecret, channel] = process.argv.slice(2);
const { App, LogLevel } = bolt;
const app = new App({ token: "xoxb-bench", signingSecret, logLevel: LogLevel.ERROR, clientOptions: { slackApiUrl } });
const threads = new Map();

function thread(user, client) {
  if (!threads.has(user)) {
    threads.set(user, client.chat.postMessage({ channel, text: `<@${user}> asks` }).then((posted) => posted.ts));
  }
  return threads.get(user);
}

app.message(async ({ message, client }) => {
  const thread_ts = await thread(message.user, client);
  await client.chat.postMessage({ channel, thread_ts, text: message.text, username: message.user });
});
const server = await app.start(0, { host: "127.0.0.1" });
server.keepAliveTimeout = 60_000;
console.log(server.address().port);
