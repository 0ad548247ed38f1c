// The built mock application in Chromium, under the same content policy as the real window.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const CHROMIUM = '/usr/bin/chromium';
const DIST = fileURLToPath(new URL('../.mock-dist', import.meta.url));
const TAURI = JSON.parse(await readFile(new URL('../../tauri.conf.json', import.meta.url), 'utf8'));
const POLICY = TAURI.app.security.csp;
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.woff2': 'font/woff2' };

/** Serves the mock build; resolves to its address and a way to stop. */
async function serve() {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    // Chromium asks for an icon by itself; a window does not.
    if (path === '/favicon.ico') return response.writeHead(204).end();
    const file = join(DIST, normalize(path === '/' ? '/index.html' : path));
    try {
      const body = await readFile(file);
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'text/plain',
        'content-security-policy': POLICY,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

/**
 * Runs `work` with a browser; anything the page logs as an error, or the content policy refuses, fails the run.
 * `work` is given `open(view, address)`, which resolves to a fresh page of the application.
 */
export async function withBrowser(work) {
  if (!existsSync(CHROMIUM)) {
    console.log(`${CHROMIUM} is not installed: nothing was looked at`);
    process.exit();
  }
  const server = await serve();
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'],
  });
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
      // As the real window does.
      if (TAURI.app.security.freezePrototype) await page.addInitScript(() => Object.freeze(Object.prototype));
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
