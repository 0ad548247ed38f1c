// Pictures of every state, to be looked at: `npm run shots [-- name-part …]` → ui/.shots/<view>/<state>.png
import { mkdir } from 'node:fs/promises';
import { withBrowser } from './browser.js';
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

const wanted = process.argv.slice(2);
const asked = (name) => wanted.length === 0 || wanted.some((part) => name.includes(part));
const viewNamed = Object.keys(VIEWS).some((name) => wanted.includes(name));

const faults = await withBrowser(async (open) => {
  for (const [name, view] of Object.entries(VIEWS)) {
    if (viewNamed && !wanted.includes(name)) continue;
    await mkdir(`.shots/${name}`, { recursive: true });
    for (const state of STATES) {
      if (!asked(state.name) && !(viewNamed && wanted.length === 1)) continue;
      const page = await enter(open, view, state);
      await page.screenshot({ path: `.shots/${name}/${state.name}.png` });
      await page.context().close();
    }
  }
});

for (const fault of new Set(faults)) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
