// Forms before a conversation: who are you, and a request while nobody is there.
import { useState } from "preact/hooks";
import type { Store } from "./store";
import { Attach, Chosen, dropping, useUploads } from "./uploads";
import { say } from "./words";

function Who({ store, facts, set }: { store: Store; facts: Record<string, string>; set: (f: Record<string, string>) => void }) {
  const ask = store.site.value?.ask ?? [];
  // What is known is not asked again.
  const known = store.me.value;
  return (
    <>
      {ask
        .filter((one) => !known?.[one])
        .map((one, at) => (
          <label key={one}>
            {say(one)}
            <input
              required
              data-first={at === 0 || undefined}
              type={one === "email" ? "email" : "text"}
              autocomplete={one}
              maxLength={120}
              value={facts[one] ?? ""}
              onInput={(event) => set({ ...facts, [one]: event.currentTarget.value })}
            />
          </label>
        ))}
    </>
  );
}

export function Ask({ store, then }: { store: Store; then: () => void }) {
  const [facts, set] = useState<Record<string, string>>({});
  return (
    <form
      class="body form"
      onSubmit={(event) => {
        event.preventDefault();
        store.profile(facts);
        then();
      }}
    >
      <p class="hello">{say("who")}</p>
      <Who store={store} facts={facts} set={set} />
      <button class="main" type="submit">
        {say("go")}
      </button>
    </form>
  );
}

export function Leave({ store }: { store: Store }) {
  const [facts, set] = useState<Record<string, string>>({});
  const [text, setText] = useState("");
  const uploads = useUploads(store);
  const [over, setOver] = useState(false);
  const hours = store.site.value?.hours;
  return (
    <form
      class="body form"
      {...dropping(uploads, setOver)}
      onPaste={uploads.paste}
      onSubmit={(event) => {
        event.preventDefault();
        if (!uploads.ready) return;
        if (Object.keys(facts).length) store.profile(facts);
        store.view.value = { at: "home" };
        store.fresh((c) => store.send(c, text.trim(), uploads.done));
      }}
    >
      <p>{say("closed", hours?.back ?? "")}</p>
      <label>
        {say("what")}
        <textarea
          required
          data-first
          maxLength={store.site.value?.limits.text ?? 8000}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <Chosen uploads={uploads} />
      {uploads.most > 0 && <Attach uploads={uploads} words={say("paste")} />}
      <Who store={store} facts={facts} set={set} />
      <button class="main" type="submit" disabled={!uploads.ready}>
        {say("request")}
      </button>
      {over && <div class="drop">{say("drop")}</div>}
    </form>
  );
}
