// One's second factor: turned on with an authenticator, turned off, its recovery codes.

import { useEffect, useState } from "preact/hooks";
import { trying } from "../acts.ts";
import { get, put, post, remove } from "../api.ts";
import { dialog, toast } from "../state.ts";
import { Modal } from "./Dialogs.tsx";

interface Factor { enabled: boolean; recovery: number }
interface Enrolment { secret: string; uri: string; path: string; size: number }

const close = () => (dialog.value = null);
const value = (event: SubmitEvent, name: string) => String(new FormData(event.currentTarget as HTMLFormElement).get(name) ?? "");

export function SecondFactor() {
  const [factor, setFactor] = useState<Factor | null>(null);
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  useEffect(() => void trying(async () => setFactor(await get<Factor>("/session/factor"))), []);
  const step = codes ? <Codes codes={codes} /> : enrolment ? <Scan enrolment={enrolment} done={setCodes} /> : factor?.enabled ? <Off factor={factor} /> : factor ? <Begin done={setEnrolment} /> : <p role="status">Looking…</p>;
  return (
    <Modal title="Second factor">
      <h2>Second factor</h2>
      {step}
    </Modal>
  );
}

function Begin({ done }: { done: (enrolment: Enrolment) => void }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const password = value(event, "password");
    void trying(async () => done(await post<Enrolment>("/session/factor", { password })));
  };
  return (
    <form onSubmit={submit}>
      <p>With it, signing in takes your password and a code of an authenticator on your phone.</p>
      <label>Your password<input name="password" type="password" autocomplete="current-password" required autofocus /></label>
      <p class="row"><button class="primary">Set up</button><button type="button" onClick={close}>Cancel</button></p>
    </form>
  );
}

function Scan({ enrolment, done }: { enrolment: Enrolment; done: (codes: string[]) => void }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const code = value(event, "code");
    void trying(async () => done((await put<{ codes: string[] }>("/session/factor", { code })).codes));
  };
  const edge = 4;
  return (
    <form onSubmit={submit}>
      <p>Scan this with an authenticator, or type the key into it.</p>
      <svg class="qr" role="img" aria-label="QR code for an authenticator" viewBox={`${-edge} ${-edge} ${enrolment.size + 2 * edge} ${enrolment.size + 2 * edge}`} width="200" height="200" shape-rendering="crispEdges">
        <rect x={-edge} y={-edge} width={enrolment.size + 2 * edge} height={enrolment.size + 2 * edge} fill="#fff" />
        <path d={enrolment.path} fill="#000" />
      </svg>
      <p><code class="key">{enrolment.secret.match(/.{1,4}/g)?.join(" ")}</code></p>
      <label>The code that it shows<input name="code" inputMode="numeric" autocomplete="one-time-code" maxLength={40} required autofocus /></label>
      <p class="row"><button class="primary">Turn on</button><button type="button" onClick={close}>Cancel</button></p>
    </form>
  );
}

function Codes({ codes }: { codes: string[] }) {
  return (
    <>
      <p role="status"><strong>It is on.</strong> Keep these recovery codes where your phone is not. Each works once, instead of a code; they are not shown again.</p>
      <ul class="codes">{codes.map((code) => <li key={code}><code>{code}</code></li>)}</ul>
      <p class="row"><button type="button" class="primary" autofocus onClick={close}>I have kept them</button></p>
    </>
  );
}

function Off({ factor }: { factor: Factor }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const [password, code] = [value(event, "password"), value(event, "code")];
    void trying(async () => {
      await remove("/session/factor", { password, code });
      toast("The second factor is off.");
      close();
    });
  };
  return (
    <form onSubmit={submit}>
      <p>It is on. {factor.recovery} recovery codes are left{factor.recovery < 3 ? ": turn it off and on again for new ones" : ""}.</p>
      <label>Your password<input name="password" type="password" autocomplete="current-password" required autofocus /></label>
      <label>A code<input name="code" autocomplete="one-time-code" maxLength={40} required /></label>
      <p class="row"><button class="danger">Turn off</button><button type="button" onClick={close}>Cancel</button></p>
    </form>
  );
}
