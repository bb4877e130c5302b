// The right panel: Chat Summary Section, AI Assistance Area, ticket, requester.

import { jump, verb } from "../acts.ts";
import { Icon } from "../icons.tsx";
import { Markdown } from "../markdown.tsx";
import { channelOf, current, detail, earlier, now, panel, ticket, who } from "./aside.ts";
import { dialog, me } from "../state.ts";
import { ago, full } from "../time.ts";
import { Assist } from "./Assist.tsx";

export function Context() {
  const chat = current.value;
  if (!chat) return null;
  return (
    <section class="context" aria-label="Context">
      <button type="button" class="quiet close-panel" aria-label="Close the panel" onClick={() => (panel.value = false)}><Icon name="close" /></button>
      <Summary />
      <Assist />
      <TicketPanel />
      <Requester />
    </section>
  );
}

function Summary() {
  const found = detail.value;
  return (
    <section class="card" aria-labelledby="summary-title">
      <h3 id="summary-title">Chat summary <button type="button" class="quiet small" aria-label="Write the summary anew" title="Key: M" onClick={() => void verb("summary")}>↻</button></h3>
      {found ? <div class="summary" tabIndex={0} role="region" aria-label="Summary"><Markdown text={found.card.summary} /></div> : <p class="muted">Loading…</p>}
      {found && found.card.hint && <p class="muted small-text">{found.card.hint}</p>}
      {found && (
        <dl class="facts">
          {found.card.facts.map((fact) => <div key={fact.label}><dt>{fact.label}</dt><dd>{fact.value}</dd></div>)}
        </dl>
      )}
    </section>
  );
}

function TicketPanel() {
  const chat = current.value;
  const found = ticket.value;
  const link = chat?.ticket;
  return (
    <section class="card" aria-labelledby="ticket-title">
      <h3 id="ticket-title">Ticket</h3>
      {link?.state === "linked" && (
        <>
          <p><strong>{link.number}</strong> <span class="badge" data-status={link.status}>{link.status}</span></p>
          {found?.ticket && (
            <>
              <p>{found.ticket.summary}</p>
              <details><summary>History</summary>
                <ul class="history">{found.ticket.history.map((one, at) => <li key={at}><span title={full(one.at)}>{ago(one.at, now.value)}</span> {one.by}: {one.what}</li>)}</ul>
              </details>
            </>
          )}
        </>
      )}
      {link?.state === "opening" && <p class="muted" role="status">Being opened…</p>}
      {link?.state === "failed" && <p class="wrong">It could not be opened.</p>}
      {(link?.state === "none" || link?.state === "failed") && <button type="button" onClick={() => void verb("ticket")}>Create ticket <kbd>Shift T</kbd></button>}
    </section>
  );
}

function Requester() {
  const chat = current.value;
  if (!chat) return null;
  return (
    <section class="card" aria-labelledby="requester-title">
      <h3 id="requester-title">Requester</h3>
      <dl class="facts">
        <div><dt>Name</dt><dd>{chat.requester.name}</dd></div>
        <div><dt>Writes from</dt><dd>{channelOf(chat)}</dd></div>
        <div><dt>Language</dt><dd>{chat.requester.language}</dd></div>
        <div><dt>Since</dt><dd>{full(chat.opened)}</dd></div>
        {chat.co_repliers.length > 0 && <div><dt>Invited</dt><dd>{chat.co_repliers.map(who).join(", ")}</dd></div>}
      </dl>
      {me.value?.technician?.role === "admin" && !chat.requester.id.includes(":erased-") && (
        <p><button type="button" class="danger" onClick={() => (dialog.value = "erase")}>Erase this person…</button></p>
      )}
      <h4>Earlier conversations</h4>
      {earlier.value.length === 0 ? <p class="muted">None.</p> : (
        <ul class="earlier">
          {earlier.value.map((one) => <li key={one.id}><button type="button" class="link" onClick={() => void jump(one.id)}>{one.reference}</button> {one.subject} <span class="muted">{one.status}</span></li>)}
        </ul>
      )}
    </section>
  );
}
