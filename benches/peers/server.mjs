// What the servers that deskbridge is measured beside have in common: `POST /to/{number}` with `{"text": …}` tells one
// person a text. Nothing is kept, nobody is asked who they are.
import { createServer } from "node:http";

/** `tell(number, frame)`: whether there is such a person. Resolves to the HTTP server, not listening yet. */
export function serve(tell) {
  let seq = 0;
  return createServer((request, response) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const number = Number(request.url.slice("/to/".length));
      const { text } = JSON.parse(Buffer.concat(pieces).toString());
      seq += 1;
      const known = tell(number, { t: "event", seq, at: Date.now(), kind: "message", from: "technician", text });
      response.writeHead(known ? 201 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify({ seq }));
    });
  });
}

/** Says where it listens, for whoever started it. */
export function listen(server) {
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", 4096, () => console.log(server.address().port));
}
