// A built mock program in Chromium: the desk under the content policy of the real window, the console under the server's.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const CHROMIUM = '/usr/bin/chromium';
const TAURI = JSON.parse(await readFile(new URL('../../tauri.conf.json', import.meta.url), 'utf8'));
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
};

/** The screens of the desk, as the window shows them. */
export const DESK = {
  dist: new URL('../.mock-dist/', import.meta.url),
  base: '/',
  page: 'index.html',
  policy: TAURI.app.security.csp,
  // As the real window does.
  frozen: TAURI.app.security.freezePrototype,
};

/** The caja's console, as the server serves it. */
export const CONSOLE = {
  dist: new URL('../.mock-dist-console/', import.meta.url),
  base: '/admin/',
  page: 'console.html',
  policy:
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  frozen: false,
};

/** A browser that asks nothing of anybody by itself. */
export function launch() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'],
  });
}

/** Serves the mock build; resolves to its address and a way to stop. */
async function serve({ dist, base, page, policy }) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    // Chromium asks for an icon by itself; a window does not.
    if (path === '/favicon.ico') return response.writeHead(204).end();
    if (!path.startsWith(base)) return response.writeHead(404).end();
    const file = join(fileURLToPath(dist), normalize(path === base ? page : path.slice(base.length)));
    try {
      const body = await readFile(file);
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'text/plain',
        'content-security-policy': policy,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${server.address().port}${base}`, stop: () => server.close() };
}

/**
 * Runs `work` with a browser; anything the page logs as an error, or the content policy refuses, fails the run.
 * `work` is given `open(view, address)`, which resolves to a fresh page of `program`.
 */
export async function withBrowser(work, program = DESK) {
  if (!existsSync(CHROMIUM)) {
    console.error(`${CHROMIUM} is not installed (Debian: chromium): nothing was looked at`);
    process.exit(1);
  }
  const server = await serve(program);
  const browser = await launch();
  const faults = [];
  try {
    await work(async ({ width, height, scheme = 'light', zoom = 1, ...media }, query = '') => {
      const context = await browser.newContext({
        viewport: { width: Math.round(width / zoom), height: Math.round(height / zoom) },
        deviceScaleFactor: zoom,
        colorScheme: scheme,
        locale: 'es-CO',
        reducedMotion: 'reduce',
        ...media,
      });
      const page = await context.newPage();
      page.on(
        'console',
        (message) => message.type() === 'error' && faults.push(`${query}: ${message.text()}`),
      );
      page.on('pageerror', (error) => faults.push(`${query}: ${error.message}`));
      if (program.frozen) await page.addInitScript(() => Object.freeze(Object.prototype));
      // A Sunday morning at the counter; time stands still but for what a state lets pass.
      await page.clock.install({ time: new Date('2026-11-22T10:32:00-05:00') });
      await page.goto(server.address + query);
      return page;
    });
  } finally {
    await browser.close();
    server.stop();
  }
  return faults;
}
