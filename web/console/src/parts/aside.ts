// What the right panel needs of the state, in one place.

export { channelOf, current, detail, earlier, now, panel, ticket } from "../state.ts";
export { who } from "../acts.ts";
