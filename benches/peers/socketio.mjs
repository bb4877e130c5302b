// A chat server on `socket.io`, as its manual has it.
import { Server } from "socket.io";
import { listen, serve } from "./server.mjs";

const people = [];
const server = serve((number, frame) => {
  people[number]?.emit("frame", frame);
  return people[number] !== undefined;
});
new Server(server).on("connection", (socket) => {
  const number = people.push(socket) - 1;
  socket.on("disconnect", () => delete people[number]);
  socket.emit("frame", { t: "you", number });
});
listen(server);
