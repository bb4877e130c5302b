// A small choice of emoji; loaded when somebody asks for one.
import { say } from "./words";

const ALL =
  "😀 😃 😄 😁 😅 😂 🙂 🙃 😉 😊 😇 😍 😎 🤓 🤔 🤨 😐 😶 🙄 😏 😮 😯 😲 😴 😪 😫 😓 😔 😕 🙁 😖 😞 😟 😤 😢 😭 😨 😩 🤯 😬 😰 😱 😳 😵 😡 😠 🤒 🤕 🤢 🥳 🤖 👋 🤚 ✋ 👌 🤏 ✌️ 🤞 👈 👉 👆 👇 ☝️ 👍 👎 ✊ 👊 👏 🙌 🙏 💪 🙋 🤷 🤦 💻 🖥️ 🖨️ ⌨️ 🖱️ 📱 📞 🔋 🔌 📷 🎧 🎤 📶 🔒 🔓 🔑 🛠️ 🔧 ⚙️ 🔥 💥 ✨ ⭐ ❤️ 💔 💯 ✅ ❌ ❗ ❓ ⚠️ ⏳ ⏰ 📅 📎 📄 📁 🗑️ 📧 ☕ 🎉".split(" ");

export function Emoji({ pick }: { pick: (emoji: string) => void }) {
  return (
    <div class="emoji" role="group" aria-label={say("emoji")}>
      {ALL.map((emoji) => (
        <button type="button" key={emoji} onClick={() => pick(emoji)}>
          {emoji}
        </button>
      ))}
    </div>
  );
}
