// AI Assistance Area: the suggested reply with its sources and what one thinks of it, one's draft in other words, articles
// that fit, and how others were helped.

import { type How, jump, judge, rewrite, rewriting, suggest } from "../acts.ts";
import { Icon } from "../icons.tsx";
import { Markdown } from "../markdown.tsx";
import { articles, current, drafted, isDraft, me, messages, similar, suggesting } from "../state.ts";

export interface Suggestion { id: string; helpful: boolean | null; body: string; source: string | null }

/** The latest draft for this person; its last line names the source. */
export function latestSuggestion(): Suggestion | null {
  const drafts = messages.value.filter(isDraft);
  const last = drafts[drafts.length - 1];
  const text = last?.text;
  if (!last || !text) return null;
  const { id, helpful } = last;
  const split = /^([\s\S]*?)\n\n[^\n:]{2,30}: (\*[^\n]+\*|\[[^\n]+)$/.exec(text.trim());
  return split ? { id, helpful, body: split[1] ?? text, source: (split[2] ?? "").replace(/^\*|\*$/g, "") } : { id, helpful, body: text, source: null };
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
        {found && !suggesting.value && (
          <span class="judge" role="group" aria-label="Did this suggestion help?">
            <button type="button" class="quiet small" aria-pressed={found.helpful === true} aria-label="It helped" title="It helped" onClick={() => judge(found.id, true)}>👍</button>
            <button type="button" class="quiet small" aria-pressed={found.helpful === false} aria-label="It did not help" title="It did not help" onClick={() => judge(found.id, false)}>👎</button>
          </span>
        )}
      </p>
      <YourDraft />
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
      {similar.value.length > 0 && (
        <>
          <h4>Resolved before</h4>
          <ul class="articles">
            {similar.value.map(({ conversation, answer }) => (
              <li key={conversation.id}><details><summary>{conversation.reference} {conversation.subject}<span class="muted"> {conversation.status}</span></summary><Markdown text={answer} />
                <p class="row"><button type="button" onClick={() => insert(answer)}>Insert</button><button type="button" class="link" onClick={() => void jump(conversation.id)}>Open {conversation.reference}</button></p></details></li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

const HOWS: [How, string][] = [["reword", "Reword"], ["shorten", "Shorten"], ["translate", "Translate"]];

/** Only where a model is configured: nothing else has words of its own. */
function YourDraft() {
  const chat = current.value;
  if (!me.value?.rewrites || !chat) return null;
  const doing = rewriting.value;
  const empty = !drafted.value.trim();
  return (
    <>
      <h4 id="your-draft">Your draft</h4>
      <p class="row" role="group" aria-labelledby="your-draft">
        {HOWS.map(([how, label]) => (
          <button key={how} type="button" disabled={empty || doing !== null} onClick={() => void rewrite(how)}>{doing === how ? "…" : how === "translate" ? `${label} (${chat.requester.language})` : label}</button>
        ))}
      </p>
      {doing ? <p class="muted" role="status">The model writes…</p> : empty && <p class="muted">Write a reply first; it stays a draft until you send it.</p>}
    </>
  );
}
