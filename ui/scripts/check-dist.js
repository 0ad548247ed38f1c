// What is shipped, of the desk and of the console: nothing invented, nothing inline, no address of anybody else's.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DISTS = ['dist', 'dist-console'];
const INVENTED = [
  'TRANSPORTES DEL NORTE',
  'hanna.example.org',
  'MockBackend',
  'Clara Coordinadora',
  'MockApi',
];
// Namespaces, and Svelte's addresses of its own error texts; nothing is fetched from them.
const HARMLESS = /^https?:\/\/(www\.w3\.org|svelte\.dev)\//;

const problems = [];
const files = DISTS.map(async (dist) => {
  const folder = fileURLToPath(new URL(`../${dist}`, import.meta.url));
  return (await readdir(folder, { recursive: true })).map((file) => join(folder, file));
});
for (const file of (await Promise.all(files)).flat()) {
  if (!/\.(html|js|css)$/.test(file)) continue;
  const text = await readFile(file, 'utf8');
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
