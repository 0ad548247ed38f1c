// axe-core on every state of every screen, light, dark and zoomed, and a walk through the main job by keyboard alone.
import axe from 'axe-core';
import { withBrowser } from './browser.js';
import { enter, STATES } from './states.js';

const every = () => true;
// One of each kind: what these views change, they change everywhere.
const ONE_OF_EACH = [
  'ingreso-error',
  'aplicaciones',
  'sede',
  'consulta-activo',
  'consulta-no-activo',
  'consulta-sin-dato',
  'consulta-ya-usado-confirmar',
  'consulta-anular-motivo',
  'por-enviar',
  'reporte',
  'reporte-anulado',
  'reporte-imprimir',
];
const some = ({ name }) => ONE_OF_EACH.includes(name);

const VIEWS = {
  light: { media: { width: 1280, height: 800 }, states: every },
  dark: { media: { width: 1280, height: 800, scheme: 'dark' }, states: every },
  contrast: { media: { width: 1280, height: 800, contrast: 'more' }, states: some },
  'contrast dark': { media: { width: 1280, height: 800, contrast: 'more', scheme: 'dark' }, states: some },
  'zoomed 200 %': { media: { width: 1280, height: 800, zoom: 2 }, states: some },
};

/** Each problem once, with the states it was seen in. */
const problems = new Map();

function problem(text, where) {
  problems.set(text, [...(problems.get(text) ?? []), where]);
}

/** axe's findings, one line each. */
async function look(page, where) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  for (const { id, help, nodes } of violations) {
    for (const { target, any } of nodes) problem(`${id}: ${help}: ${target} ${any[0]?.message ?? ''}`, where);
  }
}

/** The verdict has to be AAA in every theme: 7:1 on all of its band. */
async function verdict_is_aaa(page, where) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    window.axe.run('[data-band]', {
      runOnly: ['color-contrast-enhanced'],
      rules: { 'color-contrast-enhanced': { enabled: true } },
    }),
  );
  for (const { nodes } of violations) {
    for (const { target, any } of nodes) problem(`verdict not AAA: ${target} ${any[0]?.message}`, where);
  }
}

/** Sign in, open Convenios, choose the sede, consult, report, see it sent, make the report: no mouse. */
async function walk(open) {
  const page = await open(VIEWS.light.media, '');
  const type = async (text, then = 'Enter') => {
    await page.keyboard.type(text);
    await page.keyboard.press(then);
    await page.clock.runFor(400);
  };
  const at = async (testid) => {
    await page.clock.runFor(400);
    await page.getByTestId(testid).first().waitFor({ timeout: 3000 });
  };
  while (!(await page.locator('main h1').count())) await page.clock.runFor(100);
  await type('ana', 'Tab');
  await type('convenios');
  await at('acceder');
  await page.keyboard.press('Enter');
  await at('branch-search');
  await type('centro');
  await at('document');
  await type('1045678901');
  await at('report-use');
  await page.keyboard.press('F2');
  await at('reported');
  // Taken back: past Consultar to the button on the card, the second reason, Enter; the number has the focus again.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await at('void-subject');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await at('reported');
  await page.getByText('Uso anulado').waitFor({ timeout: 3000 });
  await type('99999999');
  await at('reasons');
  await page.keyboard.press('Escape');
  await page.keyboard.press('F6');
  await page.clock.runFor(1500);
  await at('outbox-empty');
  await page.keyboard.press('F7');
  await at('history-row');
  await page.keyboard.press('F4');
  await at('branch-search');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await at('document');
  const focused = await page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  if (focused !== 'document') problem(`the focus ended on ${focused}`, 'keyboard walk');
}

/** An administrator asks for CONVENIOS with a document, and manages somebody: no mouse. */
async function walk_administrator(open) {
  const page = await open(VIEWS.light.media, '?as=nadia@gym-nuevo.co');
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
    await page.clock.runFor(400);
  };
  const type = async (text, then) => {
    await page.keyboard.type(text);
    await press(then);
  };
  const at = async (testid) => {
    await page.clock.runFor(400);
    await page.getByTestId(testid).first().waitFor({ timeout: 3000 });
  };
  await at('request-it');
  await press('Enter');
  await at('contact_phone');
  await press('Tab');
  await type('nadia@gym-nuevo.co', 'Tab');
  await type('3001234567', 'Enter');
  await at('benefit');
  await type('20 % de descuento', 'Enter');
  await at('branch-0-name');
  await type('Sede Norte', 'Tab');
  await type('Barranquilla', 'Tab');
  await type('Carrera 53 # 76-100', 'Enter');
  await at('choose-file');
  const dialog = page.waitForEvent('filechooser');
  await press('Tab', 'Enter');
  const buffer = Buffer.from('%PDF-1.7');
  await (await dialog).setFiles({ name: 'carta.pdf', mimeType: 'application/pdf', buffer });
  await at('chosen-file');
  // Past Quitar and Atrás.
  await press('Tab', 'Tab', 'Tab', 'Enter');
  await at('request-content');
  await press('Enter');
  await at('to-applications');
  await press('Enter');
  await at('request');
  await press('Tab', 'Enter');
  await at('user-search');
  // Past the table, which the keyboard scrolls, to the first row.
  await press('Tab', 'Tab', 'Enter');
  await at('user-save');
  await press('Escape');
  const focused = await page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  if (focused !== 'manage') problem(`the focus ended on ${focused}`, 'walk of an administrator');
}

let looked = 0;
const faults = await withBrowser(async (open) => {
  for (const [view, { media, states }] of Object.entries(VIEWS)) {
    for (const state of STATES.filter(states)) {
      const page = await enter(open, media, state);
      await look(page, `${state.name} (${view})`);
      if (await page.getByTestId('verdict').count()) await verdict_is_aaa(page, `${state.name} (${view})`);
      await page.context().close();
      looked += 1;
    }
  }
  await walk(open).catch((error) => problem(error.message, 'keyboard walk'));
  await walk_administrator(open).catch((error) => problem(error.message, 'walk of an administrator'));
});

for (const fault of new Set(faults)) console.error(fault);
for (const [text, where] of problems) console.error(`${text}\n    ${where.join(', ')}`);
if (faults.length + problems.size > 0) process.exitCode = 1;
else console.log(`${looked} pages and two walks by keyboard: nothing found`);
