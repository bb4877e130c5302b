// The first route stays within its budget (conventions.md §2.3): 120 KB gzip.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 120 * 1024;
const folder = new URL("../dist/console/", import.meta.url);
const sizes = ["index.html", "app.js", "app.css", "icon.svg"].map((name) => {
  const bytes = gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length;
  console.log(`${name.padEnd(12)} ${(bytes / 1024).toFixed(1)} KB gzip`);
  return bytes;
});
const sum = sizes.reduce((a, b) => a + b, 0);
console.log(`first route  ${(sum / 1024).toFixed(1)} KB gzip, at most ${LIMIT / 1024}`);
if (sum > LIMIT) process.exit(1);
