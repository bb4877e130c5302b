// A desk on `botbuilder`, as its manual has it: what somebody writes to the bot is posted into their thread of the team's
// channel. Every request's token is checked, by the keys of the service at API_BASE. Which thread is whose is in memory, and
// nothing else is kept.
// `node botbuilder.mjs API_BASE APP TENANT CHANNEL`
import express from "express";
import { CloudAdapter, ConfigurationBotFrameworkAuthentication } from "botbuilder";
import { AppCredentials, PasswordServiceClientCredentialFactory } from "botframework-connector";

const [api, app, tenant, channel] = process.argv.slice(2);
const service = "https://api.botframework.com";

// The package's own credentials take their token from an address with https only, which a loopback has not: the exchange is
// the same, and so is the package's store of tokens.
class Credentials extends AppCredentials {
  async refreshToken() {
    const body = new URLSearchParams({ grant_type: "client_credentials", client_id: app, client_secret: "bench", scope: `${service}/.default` });
    const token = await (await fetch(`${api}/token`, { method: "POST", body })).json();
    return { accessToken: token.access_token, expiresOn: new Date(Date.now() + token.expires_in * 1000) };
  }
}

class Factory extends PasswordServiceClientCredentialFactory {
  credentials = new Credentials(app, tenant, service);

  async createCredentials() {
    return this.credentials;
  }
}

const addresses = {
  ValidateAuthority: true,
  ToChannelFromBotLoginUrl: `${api}/token`,
  ToChannelFromBotOAuthScope: service,
  ToBotFromChannelTokenIssuer: service,
  OAuthUrl: `${api}/oauth`,
  ToBotFromChannelOpenIdMetadataUrl: `${api}/openid`,
  ToBotFromEmulatorOpenIdMetadataUrl: `${api}/openid`,
  CallerId: "",
};
const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication(addresses, new Factory(app, "bench", tenant)));
const threads = new Map();

function thread({ from, serviceUrl, channelId, recipient }) {
  if (!threads.has(from.id)) {
    const opened = new Promise((done, failed) => {
      const first = { type: "message", text: `${from.name} asks` };
      const about = { isGroup: true, channelData: { channel: { id: channel } }, activity: first, tenantId: tenant, bot: recipient };
      const began = async ({ activity }) => done({ conversation: activity.conversation, serviceUrl, channelId, bot: recipient });
      adapter.createConversationAsync(app, channelId, serviceUrl, service, about, began).catch(failed);
    });
    threads.set(from.id, opened);
  }
  return threads.get(from.id);
}

async function turn({ activity }) {
  if (activity.type !== "message") return;
  const reference = await thread(activity);
  await adapter.continueConversationAsync(app, reference, (context) =>
    context.sendActivity({ type: "message", textFormat: "plain", text: `${activity.from.name}: ${activity.text}` }),
  );
}

const server = express();
server.use(express.json());
server.post("/api/messages", (request, response) => adapter.process(request, response, turn));
const listening = server.listen(0, "127.0.0.1", () => console.log(listening.address().port));
listening.keepAliveTimeout = 60_000;
