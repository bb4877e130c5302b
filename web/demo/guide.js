// The guided first steps: watches what happens and names the next thing to do.
// Not here: doing any of it for the visitor.

const FIRST = {
  portal: "In the portal on the left, press the round chat button, write “my vpn says 691” and press Enter.",
  chat: "Type “my vpn says 691” on the left, and press Enter.",
};
const STEPS = [
  FIRST.chat,
  "Read the answer of the AI. Then press the button for a human, or type “human”.",
  "On the right, read the card with the summary, and press Accept.",
  "Still on the right, write an answer. It arrives on the left; 📨 and 👁️ show how far it got.",
  "Act as the other technician and write in the thread: it stays internal 🔒, and they are told why.",
  "Press Resolve on the card.",
];
const END = "That is the main job: asked, answered by the AI, handed over with a summary, solved by a person. Now try the other channels on the left, files, edits and reactions, or open the console.";
const KEY = "deskbridge-demo-step";

const OPEN = ["waiting", "offered"];

export class Guide {
  constructor(node, list, line, close) {
    this.node = node;
    this.list = list;
    this.line = line;
    this.step = 0;
    this.first = null;
    this.where = "chat";
    this.sent = false;
    this.key = KEY;
    for (const text of STEPS) {
      const dot = document.createElement("li");
      const label = document.createElement("span");
      label.className = "hidden";
      label.textContent = text;
      dot.append(label);
      list.append(dot);
    }
    close.addEventListener("click", () => {
      node.hidden = true;
      this.step = -1;
      this.keep();
    });
    this.show();
  }

  /** Takes up the guide where it was when the page was loaded again; another run of the demo starts over. */
  resume(run) {
    const key = `${KEY} ${run}`;
    if (this.key === key) return;
    this.key = key;
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
    this.step = kept?.step ?? 0;
    this.first = kept?.first ?? null;
    this.node.hidden = this.step < 0;
    this.show();
  }

  /** Where the requester is, as the first step depends on it. */
  at(where) {
    if (this.where === where) return;
    this.where = where;
    this.show();
  }

  keep() {
    sessionStorage.setItem(this.key, JSON.stringify({ step: this.step, first: this.first }));
  }

  /** Looks at the requester's messages and the desk room, and moves on as far as what is there allows. */
  look(messages, room, isVisitors) {
    if (this.step < 0) return;
    const threads = [...room.threads.values()].filter(isVisitors);
    // What was there when the page opened is not this guide's doing.
    if (!this.first) {
      this.first = { messages: messages.length, known: threads.map((t) => t.id), internal: internal(room) };
      this.keep();
    }
    const thread = threads.find((t) => !this.first.known.includes(t.id));
    const state = thread?.title.state;
    const inThread = (test) => [...room.messages.values()].some((m) => m.thread === thread?.id && test(m));
    const done = [
      this.sent || messages.slice(this.first.messages).some((m) => m.author.by === "person"),
      thread !== undefined && state !== "assisting",
      thread !== undefined && state !== "assisting" && !OPEN.includes(state),
      inThread((m) => m.author.by === "person" && ["delivered", "seen"].includes(m.mark)),
      internal(room) > this.first.internal,
      ["resolved", "closed"].includes(state),
    ];
    const before = this.step;
    // Who resolves has seen it all; else one step after the other.
    const reached = done.at(-1) ? STEPS.length : done.indexOf(false);
    this.step = Math.max(this.step, reached);
    if (this.step !== before) {
      this.keep();
      this.show();
    }
  }

  show() {
    const { step } = this;
    const text = step <= 0 ? FIRST[this.where] : STEPS[step];
    this.line.textContent = step < STEPS.length ? `${Math.max(step, 0) + 1}. ${text}` : END;
    [...this.list.children].forEach((dot, n) => {
      dot.classList.toggle("done", n < step);
      if (n === step) dot.setAttribute("aria-current", "step");
      else dot.removeAttribute("aria-current");
    });
  }
}

function internal(room) {
  return [...room.messages.values()].filter((m) => m.mark === "internal").length;
}
