// How it looks and moves: every language, any brand colour, nothing that moves where somebody wants it still, an answer that
// grows; and the keyboard gets out again.
import { assert, clean, spelled, stage, until, Widget } from "./lib.mjs";

const model = `engine = "openai"\nbase_url = "${process.env.DESKBRIDGE_TEST_OPENAI}"\nmodel = "fake-small"\napi_key = "${process.env.DESKBRIDGE_TEST_OPENAI_KEY}"\n`;

// Languages by the page's own, and by its call.
const WORDS = {
  en: { launcher: "Open support chat", title: "IT support", human: "Talk to a human", close: "Close", mine: "My requests", ask: "Ask anything…" },
  de: { launcher: "Support-Chat öffnen", human: "Mit einem Menschen sprechen", close: "Schließen", mine: "Meine Anfragen", ask: "Frag einfach …" },
  es: { launcher: "Abrir el chat de soporte", human: "Hablar con una persona", close: "Cerrar", mine: "Mis solicitudes", ask: "Pregunta lo que quieras…" },
  fr: { launcher: "Ouvrir le chat d’assistance", human: "Parler à une personne", close: "Fermer", mine: "Mes demandes", ask: "Posez votre question…" },
  ar: { launcher: "فتح محادثة الدعم" },
};
for (const lang of ["es", "fr"]) {
  for (const colorScheme of ["light", "dark"]) {
    await stage({ telegram: false, site: { lang }, context: { locale: lang, colorScheme } }, async ({ open }) => {
      const page = await open();
      const widget = new Widget(page);
      const words = WORDS[lang];
      assert.equal(await widget.launcher.getAttribute("aria-label"), words.launcher);
      await widget.open();
      assert.equal(await widget.panel.getAttribute("lang"), lang);
      await widget.panel.getByRole("button", { name: words.human }).waitFor();
      assert.equal(await widget.box.getAttribute("placeholder"), words.ask);
      await clean(page, `looks-home-${lang}-${colorScheme}`);
      await widget.say("VPN error 691");
      await widget.panel.locator(".msg.assistant .bubble").first().waitFor();
      await widget.panel.locator(".state").getByRole("button", { name: words.human }).waitFor();
      await widget.panel.getByRole("button", { name: words.close, exact: true }).waitFor();
      await clean(page, `looks-talk-${lang}-${colorScheme}`);
      // No word of another language is left among the controls.
      const names = await widget.panel.evaluate((panel) => [...panel.querySelectorAll("button[aria-label],textarea")].map((one) => one.getAttribute("aria-label")));
      for (const english of Object.values(WORDS.en)) assert.ok(!names.includes(english), `${english} among ${names}`);
      // Each of the others, and back.
      for (const [other, { close }] of Object.entries(WORDS)) {
        await page.evaluate((other) => $deskbridge.setLocale(other), other);
        await until(other, async () => (await widget.panel.getAttribute("lang")) === other);
        assert.equal(await widget.launcher.getAttribute("aria-label").then((label) => label.split(",")[0]), WORDS[other].launcher);
        assert.equal(await widget.panel.getAttribute("dir"), other === "ar" ? "rtl" : "ltr");
        if (close) await widget.panel.getByRole("button", { name: close, exact: true }).waitFor();
      }
    });
  }
}

// Brand colours: what stands on them can be read, whichever a site has chosen.
await stage({ telegram: false }, async ({ open, site }) => {
  const luminance = ([r, g, b]) => {
    const [lr, lg, lb] = [r, g, b].map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * lr + 0.7152 * lg + 0.0722 * lb;
  };
  const parts = (color) => {
    const found = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(color);
    assert.ok(found, `no plain colour: ${color}`);
    return found.slice(1).map(Number);
  };
  for (const color of ["#ffe600", "#0b1f4d", "#767676", "#777777", "#ff0000", "#00c853", "#ffffff", "#000000"]) {
    site.attributes = `data-color="${color}"`;
    const page = await open();
    const widget = new Widget(page);
    await widget.open();
    await widget.say("VPN error 691");
    // Confirmed: until then another element stands for it.
    await widget.panel.locator(".msg.assistant .bubble").first().waitFor();
    for (const part of ["button.launcher", "header", ".msg.me .bubble"]) {
      const [text, ground] = await page.locator(`deskbridge-widget ${part}`).first().evaluate((one) => {
        const style = getComputedStyle(one);
        return [style.color, style.backgroundColor];
      });
      const hexOf = `#${parts(ground).map((n) => n.toString(16).padStart(2, "0")).join("")}`;
      assert.equal(hexOf, color, `${part} has the brand's colour`);
      const [light, dark] = [luminance(parts(text)), luminance(parts(ground))].sort((a, b) => b - a);
      assert.ok((light + 0.05) / (dark + 0.05) >= 4.5, `${part} on ${color}: ${text}`);
    }
    await clean(page, `looks-color-${color.slice(1)}`);
    await page.close();
  }
});

// Nothing moves where somebody wants it still; dots that say "typing" stand.
for (const reducedMotion of ["reduce", "no-preference"]) {
  await stage({ telegram: false, context: { reducedMotion } }, async ({ open }) => {
    const page = await open();
    const widget = new Widget(page);
    await widget.open();
    const moves = (part) => widget.panel.evaluate((panel, part) => {
      const one = part ? panel.querySelector(part) : panel;
      const style = getComputedStyle(one);
      return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
    }, part);
    const wanted = reducedMotion !== "reduce";
    assert.equal(await moves(""), wanted, "the panel that slides in");
    // Every rule that moves anything is taken back by that wish.
    const all = await page.locator("deskbridge-widget").evaluate((host) => {
      const moving = [...host.shadowRoot.querySelectorAll("*")].filter((one) => getComputedStyle(one).animationName !== "none");
      return moving.map((one) => one.className);
    });
    assert.deepEqual(all.length > 0, wanted, `${all}`);
  });
}

// An answer that grows word by word: shown while it does, once when it is whole.
await stage({ telegram: false, assistant: model }, async ({ open }) => {
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  const words = Array.from({ length: 60 }, (_, n) => `step${n}`);
  await page.evaluate(() => {
    window.grown = new Set();
    const panel = document.querySelector("deskbridge-widget").shadowRoot;
    // Everything that was ever shown of it, whatever a slow machine leaves out.
    new MutationObserver(() => {
      const bubble = panel.querySelector(".msg:not(.me,.assistant,.technician,.desk) .bubble");
      if (bubble?.textContent.includes("step0")) window.grown.add(bubble.textContent);
    }).observe(panel, { subtree: true, childList: true, characterData: true });
  });
  await widget.say(`slow:${spelled(words.join(" "))}`);
  const whole = widget.panel.locator(".msg.assistant .bubble", { hasText: "step59" });
  await whole.waitFor();
  const grown = await page.evaluate(() => [...window.grown]);
  assert.ok(grown.length >= 2, `it grew: ${grown.length} states`);
  assert.ok(grown.every((text) => text.startsWith("step0")), "from its beginning");
  assert.ok(grown.some((text) => !text.includes("step59")), "before it was whole");
  assert.equal(await widget.panel.locator(".bubble", { hasText: "step1 " }).count(), 1, "once, when it is whole");
  assert.equal(await widget.panel.locator(".ai").first().innerText(), "AI");
});

// In by Tab, through, and out again at either end; F6 is the browser's, and nothing holds it.
await stage({ telegram: false }, async ({ open }) => {
  const page = await open();
  const widget = new Widget(page);
  await widget.open();
  await page.waitForFunction(() => document.activeElement?.shadowRoot?.activeElement?.tagName === "TEXTAREA");
  const inside = () => page.evaluate(() => document.activeElement?.localName === "deskbridge-widget");
  const launcher = () => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.className === "launcher");
  const out = async (key, done) => {
    for (let n = 0; n < 40; n += 1) {
      await page.keyboard.press(key);
      if (await done()) return;
    }
    throw new Error(`${key} never leaves`);
  };
  await out("Tab", async () => !(await inside()));
  await page.getByRole("link", { name: "A link" }).focus();
  await out("Tab", inside);
  await out("Shift+Tab", async () => !(await inside()));
  await out("Tab", launcher);
  // What the panel does with a key that is not its own: nothing.
  await widget.box.focus();
  const held = await page.evaluate(() => {
    const area = document.activeElement.shadowRoot.activeElement;
    const key = (name) => new KeyboardEvent("keydown", { key: name, bubbles: true, composed: true, cancelable: true });
    return ["F6", "Tab"].map((name) => area.dispatchEvent(key(name)));
  });
  assert.deepEqual(held, [true, true]);
  await widget.panel.waitFor();
});
console.log("ok");
