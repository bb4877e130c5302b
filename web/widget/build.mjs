// Builds the widget into web/dist/widget and holds it to its sizes (D47). No names with hashes: they are committed.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../dist/widget");

// The bundler's own helper preloads style sheets and modules by tags on the page, which is not ours to put there; it would
// be a file of its own, too, and the launcher is one file.
const noPreload = {
  name: "no-preload",
  enforce: "pre",
  load: (id) => (id === "\0vite/preload-helper.js" ? "export const __vitePreload = (load) => load();" : undefined),
};

/** Entries that are built together share files; the launcher shares none. */
const entries = (input, emptyOutDir) =>
  build({
    root: here,
    configFile: false,
    logLevel: "warn",
    plugins: [noPreload],
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: out,
      emptyOutDir,
      target: "es2022",
      modulePreload: false,
      minify: true,
      rollupOptions: {
        input: Object.fromEntries(input.map((file) => [/^\w+/.exec(file === "loader.ts" ? "deskbridge" : file)[0], join(here, "src", file)])),
        preserveEntrySignatures: "allow-extension",
        output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", format: "es" },
      },
    },
  });
await entries(["loader.ts"], true);
await entries(["queue.ts", "compat.ts", "panel.tsx"], false);

const size = (name) => gzipSync(readFileSync(join(out, name)), { level: 9 }).length;
const files = readdirSync(out).sort();
const locales = files.filter((name) => /^[a-z]{2}\.js$/.test(name));
const lazy = new Set(["deskbridge.js", "queue.js", "compat.js", "emoji.js", ...locales]);
const opened = files.filter((name) => !lazy.has(name));
const sum = (names) => names.reduce((total, name) => total + size(name), 0);
const rows = [
  ["loader", sum(["deskbridge.js"]), 3 * 1024],
  ["opened", sum(opened) + Math.max(...locales.map(size)), 35 * 1024],
  ["one locale", Math.max(...locales.map(size)), 2.5 * 1024],
  ["compat", sum(["compat.js"]), 2 * 1024],
  ["emoji", sum(["emoji.js"]), 14 * 1024],
];
let failed = false;
// "Loads nothing more until used": what the launcher imports at once would count, and there is nothing.
const shared = /^import[^(]/.test(readFileSync(join(out, "deskbridge.js"), "utf8"));
if (shared) console.log("the launcher imports another file");
failed ||= shared;
for (const [name, bytes, limit] of rows) {
  const ok = bytes <= limit;
  failed ||= !ok;
  console.log(`${ok ? "ok  " : "TOO LARGE"} ${name}: ${bytes} of ${limit} bytes, gzip`);
}
console.log(`files: ${files.join(", ")}`);
if (failed) process.exit(1);
