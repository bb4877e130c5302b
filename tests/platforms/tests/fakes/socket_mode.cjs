// A Socket Mode client made of @slack/socket-mode, the vendor's own. Every event is written as one line of JSON; then it is
// acknowledged, unless its text says "leave me" and it is the first attempt. Answers to commands ride on the acknowledgement.
const { SocketModeClient, LogLevel } = require("@slack/socket-mode");

const [slackApiUrl, appToken] = process.argv.slice(2);
const client = new SocketModeClient({ appToken, logLevel: LogLevel.ERROR, clientOptions: { slackApiUrl } });
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

client.on("connected", () => tell({ state: "connected" }));
client.on("disconnected", () => tell({ state: "disconnected" }));
client.on("slack_event", async ({ ack, type, body, retry_num, retry_reason, accepts_response_payload }) => {
  const text = body.event?.text ?? body.text ?? "";
  tell({ type, text, retry_num, retry_reason, accepts_response_payload, event_id: body.event_id });
  if (text.includes("leave me") && !retry_num) return;
  await ack(type === "slash_commands" ? { text: "two open requests" } : undefined);
});
client.start().catch((error) => {
  tell({ state: "failed", error: String(error) });
  process.exit(1);
});
