// AI Assistance Area: the suggested reply with its sources, and articles that fit.

import { suggest } from "../acts.ts";
import { Icon } from "../icons.tsx";
import { Markdown } from "../markdown.tsx";
import { articles, isDraft, messages, suggesting } from "../state.ts";

export interface Suggestion { body: string; source: string | null }

/** The latest draft for this person; its last line names the source. */
export function latestSuggestion(): Suggestion | null {
  const drafts = messages.value.filter(isDraft);
  const text = drafts[drafts.length - 1]?.text;
  if (!text) return null;
  const split = /^([\s\S]*?)\n\n[^\n:]{2,30}: (\*[^\n]+\*|\[[^\n]+)$/.exec(text.trim());
  return split ? { body: split[1] ?? text, source: (split[2] ?? "").replace(/^\*|\*$/g, "") } : { body: text, source: null };
}

export const insert = (text: string) => window.dispatchEvent(new CustomEvent("deskbridge:insert", { detail: text }));

export function Assist() {
  const found = latestSuggestion();
  return (
    <section class="card assist" aria-labelledby="assist-title">
      <h3 id="assist-title"><Icon name="spark" /> AI assistance area</h3>
      {suggesting.value && <p class="muted" role="status">Looking for an answer…</p>}
      {found && !suggesting.value && (
        <>
          <p class="muted">Suggested reply. A draft: you send it.</p>
          <div class="suggested"><Markdown text={found.body} /></div>
          {found.source && <p class="source">Source: <em>{found.source}</em></p>}
        </>
      )}
      {!found && !suggesting.value && <p class="muted">No suggestion yet.</p>}
      <p class="row">
        {found && <button type="button" class="primary" onClick={() => insert(found.body)}>Insert <kbd>Tab</kbd></button>}
        <button type="button" onClick={suggest} disabled={suggesting.value}>{found ? "Another" : "Suggest a reply"} <kbd>G</kbd></button>
      </p>
      {articles.value.length > 0 && (
        <>
          <h4>Articles that fit</h4>
          <ul class="articles">
            {articles.value.map((one) => (
              <li key={one.id + one.section}><details><summary>{one.title}<span class="muted"> {one.section}</span></summary><Markdown text={one.text} />
                <button type="button" onClick={() => insert(one.text)}>Insert</button></details></li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
