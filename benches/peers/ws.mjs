// A chat server on `ws`, as its manual has it.
import { WebSocketServer } from "ws";
import { listen, serve } from "./server.mjs";

const people = [];
const server = serve((number, frame) => {
  people[number]?.send(JSON.stringify(frame));
  return people[number] !== undefined;
});
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => {
  const number = people.push(socket) - 1;
  socket.on("error", () => socket.terminate());
  socket.on("close", () => delete people[number]);
  socket.send(JSON.stringify({ t: "you", number }));
});
listen(server);
