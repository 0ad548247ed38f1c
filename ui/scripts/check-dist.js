// What is shipped: nothing invented, nothing inline, no address of anybody else's.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const INVENTED = ['TRANSPORTES DEL NORTE', 'hanna.example.org', 'MockBackend'];
// Namespaces, and Svelte's addresses of its own error texts; nothing is fetched from them.
const HARMLESS = /^https?:\/\/(www\.w3\.org|svelte\.dev)\//;

const problems = [];
for (const file of await readdir(DIST, { recursive: true })) {
  if (!/\.(html|js|css)$/.test(file)) continue;
  const text = await readFile(join(DIST, file), 'utf8');
  for (const word of INVENTED) if (text.includes(word)) problems.push(`${file}: the invented desk (${word})`);
  for (const [address] of text.matchAll(/https?:\/\/[\w.-]+\/?/g)) {
    if (!HARMLESS.test(address)) problems.push(`${file}: the address ${address}`);
  }
  if (file.endsWith('.html') && /<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=/.test(text)) {
    problems.push(`${file}: inline style or script`);
  }
  if (file.endsWith('.css') && text.includes('url(data:')) problems.push(`${file}: a data: address`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
