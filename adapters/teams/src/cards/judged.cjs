// Reads cards from standard input and says what Microsoft's library has against them, as a list of words.
const { readFileSync } = require("node:fs");
const { AdaptiveCard, HostConfig, SerializationContext, Version } = require("adaptivecards/dist/adaptivecards.js");

const faults = [];
for (const { name, card } of JSON.parse(readFileSync(0, "utf8"))) {
  const context = new SerializationContext(Version.parse(card.version, new SerializationContext()));
  const read = new AdaptiveCard();
  // Its own default is five, those behind "…" included; how many stand beside each other is looked at elsewhere.
  read.hostConfig = new HostConfig({ actions: { maxActions: 10 } });
  read.parse(card, context);
  for (let nth = 0; nth < context.eventCount; nth += 1) faults.push(`${name}: ${context.getEventAt(nth).message}`);
  for (const event of read.validateProperties().validationEvents) faults.push(`${name}: ${event.message}`);
  // What it did not understand it leaves out.
  const elements = (value) => (JSON.stringify(value).match(/"type":/g) ?? []).length;
  if (elements(read.toJSON()) < elements(card)) faults.push(`${name}: something of it was not understood`);
}
process.stdout.write(JSON.stringify(faults));
