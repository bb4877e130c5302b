// A Discord app made of discord.js. Everything that it hears is written as one line of JSON; to texts and commands of
// certain names it does something: "answer me", "open a post", "two files", /ask, the button "Accept".
const { AttachmentBuilder, ActionRowBuilder, ButtonBuilder, ButtonStyle, Client, EmbedBuilder, GatewayIntentBits, ModalBuilder,
  Partials, TextInputBuilder, TextInputStyle } = require("discord.js");

const [api, token] = process.argv.slice(2);
const { Guilds, GuildMessages, GuildMessageReactions, DirectMessages, MessageContent } = GatewayIntentBits;
const client = new Client({
  intents: [Guilds, GuildMessages, GuildMessageReactions, DirectMessages, MessageContent],
  partials: [Partials.Channel, Partials.Message, Partials.Reaction],
  rest: { api },
});
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const fail = (error) => tell({ state: "failed", error: String(error?.stack ?? error) });

const accept = () =>
  new ActionRowBuilder().addComponents(
    new ButtonBuilder().setCustomId("accept").setLabel("Accept").setStyle(ButtonStyle.Success),
  );

const deeds = {
  "answer me": (message) => message.reply({ content: "an answer", allowedMentions: { parse: [], repliedUser: false } }),
  "open a post": async (message) => {
    const forum = message.guild.channels.cache.find((channel) => channel.name === "desk");
    const tag = forum.availableTags.find((it) => it.name === "urgent");
    const embeds = [new EmbedBuilder().setTitle("Ana").addFields({ name: "State", value: "waiting" })];
    const post = await forum.threads.create({
      name: "Ana · printer", appliedTags: [tag.id], message: { content: "broken", embeds, components: [accept()] },
    });
    await post.setLocked(true);
    await post.setArchived(true);
    tell({ opened: post.id, tags: post.appliedTags });
  },
  "two files": (message) =>
    message.channel.send({ files: ["one", "two"].map((name) => new AttachmentBuilder(Buffer.from(name), { name: `${name}.txt` })) }),
};

client.on("clientReady", async () => {
  await client.application.commands.set([{ name: "ask", description: "Ask for help" }]);
  tell({ state: "ready", user: client.user.username, guilds: client.guilds.cache.map((guild) => guild.name) });
});
client.on("shardResume", (_, replayed) => tell({ state: "resumed", replayed }));
client.on("shardDisconnect", (event) => tell({ state: "disconnected", code: event.code }));
client.on("messageCreate", async (message) => {
  tell({ said: message.content, by: message.author.id, dm: message.guild === null, files: message.attachments.map((it) => it.name) });
  if (message.author.id !== client.user.id) await deeds[message.content]?.(message)?.catch(fail);
});
client.on("messageUpdate", (_, message) => tell({ changed: message.content }));
client.on("messageDelete", (message) => tell({ deleted: message.id }));
client.on("messageReactionAdd", (reaction) => tell({ reaction: reaction.emoji.name }));
client.on("threadCreate", (thread) => tell({ thread: thread.name }));
client.on("interactionCreate", async (interaction) => {
  try {
    if (interaction.isChatInputCommand()) {
      const what = new TextInputBuilder().setCustomId("what").setLabel("What?").setStyle(TextInputStyle.Paragraph);
      const rows = new ActionRowBuilder().addComponents(what);
      await interaction.showModal(new ModalBuilder().setCustomId("m").setTitle("Ask").addComponents(rows));
    } else if (interaction.isModalSubmit()) {
      await interaction.deferReply({ flags: 64 });
      await interaction.editReply(`asked: ${interaction.fields.getTextInputValue("what")}`);
      await interaction.followUp({ content: "and more", flags: 64 });
    } else if (interaction.isButton()) {
      await interaction.update({ content: "taken", components: [] });
    }
    tell({ interaction: interaction.type });
  } catch (error) {
    fail(error);
  }
});
client.on("error", fail);
client.login(token).catch((error) => {
  fail(error);
  process.exit(1);
});
