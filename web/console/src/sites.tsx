// Settings: the sites that show the widget; what is set for each, and the tag that its pages need.
// Not here: changing them; like every channel they stand in the file.

import { FROM, shown, useList } from "./settings.tsx";
import { toast } from "./state.ts";
import type { Site } from "./types.ts";

const NAMES: [string, string, string][] = [
  ["title", "Title", "IT support"], ["greeting", "Greeting", "none"], ["color", "Colour", "#1f5fbf"], ["topics", "Quick starts", "none"],
  ["origins", "Pages that may show it", "none but our own"], ["queue", "Queue", "the first"], ["ask", "Asked of unknown visitors", "nothing"],
  ["verified_only", "Only signed-in visitors", "false"], ["identity_lifetime", "A signed-in visitor stays known for", "1h"],
  ["messages_per_minute", "Messages a minute of one visitor", "30"], ["max_file_mb", "Largest file, MB", "25"],
];

export function Sites() {
  const [list] = useList<Site>("/widget-sites");
  if (!list) return <p class="loading">Loading…</p>;
  if (list.length === 0) return <p class="muted">No site shows the widget yet. A channel with <code>adapter = "widget"</code> in the file makes one; <code>deskbridge init</code> writes it.</p>;
  return (
    <>
      {list.map((site) => {
        const path = (key: string) => `channels.${site.name}.${key}`;
        return (
          <section key={site.name} class="site" aria-labelledby={`site-${site.name}`}>
            <h3 id={`site-${site.name}`}>{site.name}</h3>
            <dl class="facts wide">
              {NAMES.map(([key, label, usual]) => {
                const found = site.settings.find((one) => one.path === path(key));
                const value = found ? shown(found.value) : "";
                const color = key === "color" ? value || usual : "";
                return (
                  <div key={key}><dt>{label}</dt>
                    <dd>{color && /^#[0-9a-f]{6}$/i.test(color) && <svg class="swatch" viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" fill={color} /></svg>}{value || usual} <span class="from">{FROM[found?.from ?? "default"]}</span></dd></div>
                );
              })}
            </dl>
            <p>For every page of the site, before <code>{"</body>"}</code>:</p>
            <pre class="snippet" tabIndex={0} role="region" aria-label={`Tag for ${site.name}`}><code>{site.tag}</code></pre>
            <p class="row">
              <button type="button" onClick={() => void navigator.clipboard?.writeText(site.tag).then(() => toast("Copied"))}>Copy the tag</button>
              <a class="button" href={`/try?site=${encodeURIComponent(site.name)}`} target="_blank" rel="noopener">Try it</a>
            </p>
          </section>
        );
      })}
      <p class="muted">Sites are channels: they are changed in the file, and take effect at the next start.</p>
    </>
  );
}
