// Builds the widget into web/dist/widget and holds it to its sizes (D47). No names with hashes: they are committed.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../dist/widget");

await build({
  root: here,
  configFile: false,
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    minify: true,
    rollupOptions: {
      input: {
        deskbridge: join(here, "src/loader.ts"),
        queue: join(here, "src/queue.ts"),
        compat: join(here, "src/compat.ts"),
        panel: join(here, "src/panel.tsx"),
      },
      preserveEntrySignatures: "allow-extension",
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", format: "es" },
    },
  },
});

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
for (const [name, bytes, limit] of rows) {
  const ok = bytes <= limit;
  failed ||= !ok;
  console.log(`${ok ? "ok  " : "TOO LARGE"} ${name}: ${bytes} of ${limit} bytes, gzip`);
}
console.log(`files: ${files.join(", ")}`);
if (failed) process.exit(1);
