// Before the workspace: signing in, by a password or with the company's provider, and choosing a password by a one-time link.

import { useEffect, useState } from "preact/hooks";
import { Refused, get, post } from "../api.ts";
import { signIn } from "../acts.ts";
import { loadMe } from "../state.ts";

const field = (form: HTMLFormElement, name: string) => (form.elements.namedItem(name) as HTMLInputElement | null)?.value ?? "";

function Page({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <main class="gate">
      <div class="gate-card">
        <p class="brand"><img src="/console/icon.svg" alt="" width="32" height="32" /> deskbridge</p>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

/** Where the account has a second factor. */
function Code({ asked }: { asked: boolean }) {
  if (!asked) return null;
  return (
    <>
      <label>Code<input name="code" autocomplete="one-time-code" maxLength={40} required autofocus aria-describedby="code-rule" ref={(input) => input?.focus()} /></label>
      <p class="muted" id="code-rule">Six digits of your authenticator, or one of your recovery codes.</p>
    </>
  );
}

/** The server has asked for a code, which is no fault. */
const asksForCode = (error: unknown) => error instanceof Refused && error.code === "second-factor";

/** Where somebody was going, kept in this tab while they are with the provider. */
const GOING = "deskbridge-going";

/** What the provider sent the browser back with. It leaves the address bar at once, and with it the history. */
export function returned(): Record<string, string> | null {
  if (location.pathname !== "/console/oidc") return null;
  const brought = new URLSearchParams(location.search);
  const going = sessionStorage.getItem(GOING) ?? "";
  sessionStorage.removeItem(GOING);
  // Nothing but a place within this page, whatever is stored there.
  history.replaceState(null, "", `/console/${/^#(T-)?\d{1,15}$/.test(going) ? going : ""}`);
  const known = ["state", "code", "iss", "error"].map((name) => [name, brought.get(name)] as const);
  return Object.fromEntries(known.filter((pair): pair is [string, string] => Boolean(pair[1])));
}

/** Brings it to the server: what went wrong, in words; nothing when somebody is signed in. */
export async function finish(brought: Record<string, string>): Promise<string> {
  try {
    if (!brought["state"]) throw new Error("The provider's answer is incomplete. Begin again.");
    await post("/session/oidc/finish", brought);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

/** The company's provider, where there is one. */
function Provider({ failed }: { failed: (why: string) => void }) {
  const [name, setName] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => void get<{ provider: string | null }>("/session/ways").then((ways) => setName(ways.provider), () => {}), []);
  if (!name) return null;
  const go = async () => {
    setBusy(true);
    failed("");
    try {
      const { address } = await post<{ address: string }>("/session/oidc");
      sessionStorage.setItem(GOING, location.hash);
      location.assign(address);
    } catch (error) {
      failed((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" class="primary wide" disabled={busy} onClick={go}>{busy ? "One moment…" : `Sign in with ${name}`}</button>
      <p class="or"><span>or with a password</span></p>
    </>
  );
}

export function SignIn({ refused = "" }: { refused?: string }) {
  const [wrong, setWrong] = useState(refused);
  const [code, setCode] = useState(false);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    setWrong("");
    try {
      await signIn(field(form, "login"), field(form, "password"), field(form, "code"));
    } catch (error) {
      if (asksForCode(error)) setCode(true);
      else {
        setWrong((error as Error).message);
        (form.elements.namedItem(code ? "code" : "password") as HTMLInputElement).select();
      }
    }
    setBusy(false);
  };
  return (
    <Page title="Sign in">
      {wrong && <p class="wrong" role="alert" id="wrong">{wrong}</p>}
      <Provider failed={setWrong} />
      <form onSubmit={submit}>
        <label>E-mail address<input name="login" type="email" autocomplete="username" required autofocus aria-describedby={wrong ? "wrong" : undefined} /></label>
        <label>Password<input name="password" type="password" autocomplete="current-password" required aria-describedby={wrong ? "wrong" : undefined} /></label>
        <Code asked={code} />
        <button class="primary wide" disabled={busy}>{busy ? "Signing in…" : "Sign in"}</button>
        <p class="muted">No account yet? An admin makes you a one-time link. The very first admin opens the link that <code>deskbridge serve</code> prints.</p>
      </form>
    </Page>
  );
}

interface Invitation { first: boolean; name: string | null; login: string | null }

export function Welcome({ secret }: { secret: string }) {
  const [what, setWhat] = useState<Invitation | null | undefined>(undefined);
  const [code, setCode] = useState(false);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    // The secret leaves the address bar at once, and with it the history.
    history.replaceState(null, "", location.pathname);
    post<Invitation>("/session/link", { link: secret }).then(setWhat, () => setWhat(null));
  }, [secret]);
  if (what === undefined) return <Page title="One moment…"><p>Looking at your link.</p></Page>;
  if (what === null) {
    return (
      <Page title="This link is worth nothing any more">
        <p>It was used, it is too old, or it was never one of ours. Start deskbridge again for a new one, or ask an admin.</p>
        <a class="button wide" href="/console/">Sign in</a>
      </Page>
    );
  }
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    if (field(form, "password") !== field(form, "again")) {
      setWrong("The two passwords differ.");
      return;
    }
    setBusy(true);
    setWrong("");
    const body: Record<string, string> = { link: secret, password: field(form, "password") };
    if (what.first) body["name"] = field(form, "name");
    if (!what.login) body["login"] = field(form, "login");
    if (code) body["code"] = field(form, "code");
    try {
      await post("/session/claim", body);
      await loadMe();
    } catch (error) {
      if (asksForCode(error)) setCode(true);
      else setWrong((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <Page title={what.first ? "Welcome. You are the first admin." : `Welcome, ${what.name ?? ""}`}>
      <form onSubmit={submit}>
        {wrong && <p class="wrong" role="alert">{wrong}</p>}
        {what.first && <label>Your name, as requesters see it<input name="name" autocomplete="name" required maxLength={100} autofocus /></label>}
        {what.login ? <p>You sign in as <strong>{what.login}</strong>.</p> : <label>E-mail address<input name="login" type="email" autocomplete="username" required /></label>}
        <label>Password<input name="password" type="password" autocomplete="new-password" minLength={12} required aria-describedby="rule" /></label>
        <p class="muted" id="rule">At least 12 characters; a few words are better than one odd one.</p>
        <label>Once more<input name="again" type="password" autocomplete="new-password" minLength={12} required /></label>
        <Code asked={code} />
        <button class="primary wide" disabled={busy}>{busy ? "One moment…" : "Start"}</button>
      </form>
    </Page>
  );
}
