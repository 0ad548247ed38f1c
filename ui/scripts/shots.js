// Pictures of every state, to be looked at: `npm run shots [-- name-part …]` → ui/.shots/<view>/<state>.png
import { mkdir } from 'node:fs/promises';
import { CONSOLE, DESK, withBrowser } from './browser.js';
import { CONSOLE_STATES } from './console-states.js';
import { enter, STATES } from './states.js';

const VIEWS = {
  '1280x800-light': { width: 1280, height: 800 },
  '1280x800-dark': { width: 1280, height: 800, scheme: 'dark' },
  '1024x768-light': { width: 1024, height: 768 },
  '1024x768-dark': { width: 1024, height: 768, scheme: 'dark' },
  '1366x768-light': { width: 1366, height: 768 },
  '1280x800-zoom200': { width: 1280, height: 800, zoom: 2 },
  '1280x800-contrast': { width: 1280, height: 800, contrast: 'more' },
  '1280x800-forced': { width: 1280, height: 800, forcedColors: 'active' },
};

const CONSOLE_VIEWS = {
  '1366x768-light': { width: 1366, height: 768 },
  '1366x768-dark': { width: 1366, height: 768, scheme: 'dark' },
  '1024x768-light': { width: 1024, height: 768 },
  '1024x768-dark': { width: 1024, height: 768, scheme: 'dark' },
  '1366x768-zoom200': { width: 1366, height: 768, zoom: 2 },
};

const wanted = process.argv.slice(2);
const asked = (name) => wanted.length === 0 || wanted.some((part) => name.includes(part));
const viewNamed = [VIEWS, CONSOLE_VIEWS].some((views) =>
  Object.keys(views).some((name) => wanted.includes(name)),
);

async function take(open, views, states) {
  for (const [name, view] of Object.entries(views)) {
    if (viewNamed && !wanted.includes(name)) continue;
    await mkdir(`.shots/${name}`, { recursive: true });
    for (const state of states) {
      if (!asked(state.name) && !(viewNamed && wanted.length === 1)) continue;
      const page = await enter(open, view, state);
      await page.screenshot({ path: `.shots/${name}/${state.name}.png` });
      await page.context().close();
    }
  }
}

const faults = [
  ...(await withBrowser((open) => take(open, VIEWS, STATES), DESK)),
  ...(await withBrowser((open) => take(open, CONSOLE_VIEWS, CONSOLE_STATES), CONSOLE)),
];

for (const fault of new Set(faults)) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
