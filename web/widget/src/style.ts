// The panel's style; as a constructed sheet, so that no page has to allow inline styles.
export const CSS = `
.panel{--bg:#fff;--fg:#1b1c1e;--soft:#5b6068;--line:#d9dce1;--their:#f0f2f5;--link:#0b4fb3;--bad:#b3261e;--note:#fff6dc;
position:absolute;inset-block-end:72px;inset-inline-end:0;box-sizing:border-box;inline-size:384px;block-size:min(640px,calc(100dvh - 112px));display:flex;flex-direction:column;overflow:hidden;border-radius:16px;border:1px solid var(--line);background:var(--bg);color:var(--fg);box-shadow:0 12px 40px #0004;text-align:start;animation:in .16s ease-out}
:host([data-side=left]) .panel{inset-inline:0 auto}
.panel:where([data-turned]){inset-inline:0 auto}
:host([data-side=left]) .panel:where([data-turned]){inset-inline:auto 0}
.panel[data-theme=dark]{--bg:#1c1d20;--fg:#eceef1;--soft:#a9b0ba;--line:#3a3d43;--their:#2b2d32;--link:#9cc3ff;--bad:#ffb4ab;--note:#3a3420;color-scheme:dark}
.panel[data-theme=light]{color-scheme:light}
.panel[hidden]{display:none}
.panel *,.panel *::before{box-sizing:border-box}
@keyframes in{from{opacity:0;transform:translateY(12px)}}
.panel button,.panel textarea,.panel input{font:inherit;color:inherit;margin:0}
.panel button{cursor:pointer}
.panel :focus-visible{outline:2px solid var(--link);outline-offset:2px}
.panel a{color:var(--link)}
.hidden{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
header{display:flex;align-items:center;gap:4px;padding:8px;background:var(--brand);color:var(--on-brand);min-block-size:60px}
header .names{flex:1;min-inline-size:0;padding-inline:8px}
header h2{margin:0;font-size:16px;line-height:1.3;font-weight:650;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
header p{margin:0;font-size:13px;line-height:1.3;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.icon{all:unset;box-sizing:border-box;display:grid;place-items:center;inline-size:44px;block-size:44px;flex:none;border-radius:10px;cursor:pointer}
.icon svg{inline-size:22px;block-size:22px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
header .icon:focus-visible{outline-color:currentColor;outline-offset:-4px}
.icon:hover{background:color-mix(in srgb,currentColor 12%,transparent)}
[dir=rtl] .flip{transform:scaleX(-1)}
.bar{padding:6px 16px;font-size:13px;background:var(--note);color:var(--fg);border-block-end:1px solid var(--line)}
.body{flex:1;min-block-size:0;overflow-y:auto;overscroll-behavior:contain;padding:16px;display:flex;flex-direction:column;gap:12px}
.body>*{flex:none}
.hello{font-size:20px;line-height:1.35;font-weight:650;margin:4px 0}
.field{display:flex;align-items:end;gap:4px;border:1px solid color-mix(in srgb,var(--fg) 45%,var(--bg));border-radius:14px;background:var(--bg);padding:2px}
.field:focus-within{outline:2px solid var(--link);outline-offset:1px}
.field textarea{flex:1;min-inline-size:0;border:0;background:none;resize:none;outline:none!important;padding:10px 10px;max-block-size:140px;line-height:1.4;block-size:44px}
textarea::placeholder,input::placeholder{color:var(--soft);opacity:1}
.send{background:var(--brand);color:var(--on-brand)}
.send[disabled]{background:none;color:var(--soft);cursor:default}
.chips{display:flex;flex-wrap:wrap;gap:8px}
.chip{min-block-size:44px;padding:8px 14px;border-radius:22px;border:1px solid color-mix(in srgb,var(--fg) 40%,var(--bg));background:var(--bg);text-align:start}
.chip:hover{background:var(--their)}
.chip[disabled]{opacity:.65;cursor:default}
h3{margin:8px 0 0;font-size:14px;font-weight:650;color:var(--soft)}
.list{list-style:none;margin:0;padding:0;display:flex;flex-direction:column;gap:4px}
.row{all:unset;box-sizing:border-box;inline-size:100%;display:grid;grid-template-columns:1fr auto;gap:2px 8px;padding:10px 12px;border-radius:12px;border:1px solid var(--line);cursor:pointer}
.row:hover{background:var(--their)}
.row b{font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.row .dot{grid-column:2;grid-row:1}.row small{grid-column:1/-1;font-size:13px;color:var(--soft);overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.row .dot{align-self:center;min-inline-size:20px;padding-inline:6px;border-radius:10px;background:#b3261e;color:#fff;font-size:12px;line-height:20px;text-align:center}
.there{margin-block-start:auto;font-size:13px;color:var(--soft)}
.there i{display:inline-block;inline-size:9px;block-size:9px;border-radius:50%;background:#1e8e3e;margin-inline-end:6px}
.talk{list-style:none;margin:0;padding:0;display:flex;flex-direction:column;gap:10px}
.msg{display:flex;flex-direction:column;align-items:start;max-inline-size:88%;gap:3px}
.msg.me{align-self:end;align-items:end}
.who{font-size:12.5px;color:var(--soft);font-weight:600;display:flex;gap:6px;align-items:center}
.ai{padding:0 6px;border-radius:6px;border:1px solid currentColor;font-size:11px;line-height:17px}
.bubble{padding:9px 13px;border-radius:16px;border-start-start-radius:4px;background:var(--their);overflow-wrap:anywhere;max-inline-size:100%}
.me .bubble{border-start-start-radius:16px;border-end-end-radius:4px;background:var(--brand);color:var(--on-brand);white-space:pre-wrap}
.desk .bubble{background:none;border:1px solid var(--line)}
.bubble p,.bubble ul,.bubble ol,.bubble pre,.bubble blockquote,.bubble table{margin:0 0 8px}
.bubble>:last-child{margin-block-end:0}
.bubble ul,.bubble ol{padding-inline-start:22px}
.bubble .h{font-weight:650}
.bubble code{font:13px ui-monospace,monospace;background:color-mix(in srgb,var(--fg) 9%,transparent);padding:1px 4px;border-radius:4px}
.bubble pre{overflow-x:auto;padding:8px 10px;border-radius:8px;background:color-mix(in srgb,var(--fg) 9%,transparent)}
.bubble pre code{background:none;padding:0}
.bubble blockquote{border-inline-start:3px solid var(--line);padding-inline-start:10px;color:var(--soft)}
.bubble table{border-collapse:collapse;display:block;overflow-x:auto}
.bubble td{border:1px solid var(--line);padding:4px 8px}
.meta{font-size:12px;color:var(--soft);display:flex;gap:6px;align-items:center}
.meta.bad{color:var(--bad)}
.text{all:unset;box-sizing:border-box;flex:none;display:inline-grid;place-items:center;cursor:pointer;text-decoration:underline;min-inline-size:44px;min-block-size:44px;margin-block:-8px;color:inherit}
.gone{font-style:italic;color:var(--soft)}
.files{display:flex;flex-wrap:wrap;gap:6px}
.files a{display:flex;align-items:center;min-inline-size:44px;min-block-size:44px}
.file{display:flex;align-items:center;gap:6px;min-block-size:44px;max-inline-size:100%;padding-inline:10px;border:1px solid var(--line);border-radius:10px;font-size:13.5px;background:var(--bg)}
.file span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;max-inline-size:180px}
.file.bad{border-color:var(--bad);color:var(--bad)}
.file .icon{margin-inline-end:-10px}
.shot{display:block;max-inline-size:100%;max-block-size:220px;border-radius:12px;border:1px solid var(--line)}
.react{font-size:14px;line-height:1;padding:3px 7px;border-radius:10px;background:var(--their);border:1px solid var(--line)}
.tools{display:inline-flex;align-items:center;gap:4px}
.more{all:unset;box-sizing:border-box;flex:none;cursor:pointer;display:grid;place-items:center;inline-size:44px;block-size:44px;margin-block:-12px;border-radius:8px;font-weight:700;opacity:0}
.msg:hover .more,.msg:focus-within .more,.more[aria-expanded=true]{opacity:1}
@media (hover:none){.more{opacity:1}}
.more:hover,.pick:hover,.pick[aria-pressed=true]{background:var(--their)}
.menu{display:inline-flex;flex-wrap:wrap;gap:10px;align-items:center}
.menu:has(.pick){gap:2px}
.pick{all:unset;cursor:pointer;display:grid;place-items:center;inline-size:44px;block-size:44px;border-radius:8px;font:20px 'Apple Color Emoji','Segoe UI Emoji','Noto Color Emoji',sans-serif}
.pick[aria-pressed=true]{outline:2px solid var(--link)}
.text.bad{color:var(--bad);font-weight:650}
.text[disabled]{opacity:.6;cursor:default}
.rewrite{display:flex;flex-direction:column;gap:4px;align-items:end;inline-size:280px;max-inline-size:100%}
.rewrite .field{inline-size:100%}
.dots{display:flex;gap:4px;padding-block:6px}
.dots i{inline-size:7px;block-size:7px;border-radius:50%;background:var(--soft);animation:dot 1.2s infinite}
.dots i:nth-child(2){animation-delay:.15s}.dots i:nth-child(3){animation-delay:.3s}
@keyframes dot{40%{transform:translateY(-4px)}}
footer{padding:8px 12px 12px;border-block-start:1px solid var(--line);display:flex;flex-direction:column;gap:8px;position:relative}
.state{display:flex;align-items:center;justify-content:space-between;gap:8px;font-size:13px;color:var(--soft);min-block-size:44px}
.state .chip{padding:4px 12px;font-size:14px;color:var(--fg)}
.state.wrap{flex-wrap:wrap}.state .icon,.emoji button,.react{font-family:'Apple Color Emoji','Segoe UI Emoji','Noto Color Emoji',sans-serif}.state .icon{font-size:22px}.state.wrap .chips{gap:2px;color:var(--fg)}
.form{display:flex;flex-direction:column;gap:12px}
.form label{display:flex;flex-direction:column;gap:4px;font-weight:600}
.form input,.form textarea{padding:10px 12px;border:1px solid color-mix(in srgb,var(--fg) 45%,var(--bg));border-radius:10px;background:var(--bg);font-weight:400;min-block-size:44px}
.form textarea{min-block-size:120px;resize:vertical}
.main{min-block-size:44px;border:0;border-radius:12px;background:var(--brand);color:var(--on-brand)!important;font-weight:650;padding:10px 16px}
.main:focus-visible{outline-offset:3px}
.toast{position:absolute;inset-inline:12px;inset-block-end:100%;margin-block-end:8px;padding:10px 14px;border-radius:12px;background:var(--fg);color:var(--bg);font-size:14px}
.panel>.toast{inset-block-end:8px}
.drop{position:absolute;inset:8px;display:grid;place-items:center;border:2px dashed var(--link);border-radius:12px;background:var(--bg);font-weight:650;z-index:2}
.latest{position:sticky;inset-block-end:0;align-self:center}
.emoji{position:absolute;inset-block-end:calc(100% - 4px);inset-inline:12px;background:var(--bg);border:1px solid var(--line);border-radius:14px;padding:8px;box-shadow:0 6px 20px #0003;max-block-size:230px;overflow-y:auto;display:grid;grid-template-columns:repeat(auto-fill,minmax(44px,1fr));z-index:1}
.emoji button{all:unset;display:grid;place-items:center;block-size:44px;font-size:22px;cursor:pointer;border-radius:8px}
.emoji button:hover{background:var(--their)}
@media (max-width:480px){:host([data-open]){inset:0;inset-block-end:0}
:host([data-open]) .launcher{display:none!important}
.panel{inset:0;inline-size:100%;block-size:100dvh;border-radius:0;border:0}}
@media (prefers-reduced-motion:reduce){.panel,.dots i{animation:none}}
@media (forced-colors:active){.panel,.bubble,.main,.send{border:1px solid}}
`;
