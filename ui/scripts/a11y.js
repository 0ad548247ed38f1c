// axe-core on every state of every screen, light, dark and zoomed, and a walk through the main job by keyboard alone:
// `npm run a11y [-- view …] [name-part …]`.
import axe from 'axe-core';
import { CONSOLE, DESK, withBrowser } from './browser.js';
import { CONSOLE_STATES } from './console-states.js';
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
const CONSOLE_ONE_OF_EACH = [
  'consola-ingreso-error',
  'consola-configurar-factor',
  'consola-inicio',
  'consola-registros-rechazar',
  'consola-solicitud',
  'consola-solicitud-aprobar-error',
  'consola-entidad-convenio',
  'consola-equipos-por-mirar',
  'consola-afiliados-con-errores',
  'consola-uso-sedes',
  'consola-verificar-anulado',
  'consola-verificar-reporte',
  'consola-auditoria-cadena-rota',
  'consola-llaves-rotar',
];
const some = ({ name }) => ONE_OF_EACH.includes(name) || CONSOLE_ONE_OF_EACH.includes(name);

// In how many ways a state is looked at, one after the other on the same page: what somebody's system says while it stands.
const LIGHT = { scheme: 'light', contrast: 'no-preference', zoom: 1 };
const VIEWS = {
  light: { media: LIGHT, states: every },
  dark: { media: { ...LIGHT, scheme: 'dark' }, states: every },
  contrast: { media: { ...LIGHT, contrast: 'more' }, states: some },
  'contrast dark': { media: { ...LIGHT, contrast: 'more', scheme: 'dark' }, states: some },
  'zoomed 200 %': { media: { ...LIGHT, zoom: 2 }, states: some },
};
const CONSOLE_VIEWS = {
  ...VIEWS,
  // What axe sees is as in the wide one.
  narrow: { media: { ...LIGHT, width: 1024 }, states: every, only_its_width: true },
};
const DESK_WINDOW = { width: 1280, height: 800 };
const CONSOLE_WINDOW = { width: 1366, height: 768 };

/** Each problem once, with the states it was seen in. */
const problems = new Map();

function problem(text, where) {
  problems.set(text, [...(problems.get(text) ?? []), where]);
}

/** axe's findings, one line each. */
async function look(page, where) {
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  for (const { id, help, nodes } of violations) {
    for (const { target, any } of nodes) problem(`${id}: ${help}: ${target} ${any[0]?.message ?? ''}`, where);
  }
}

/** The verdict has to be AAA in every theme: 7:1 on all of its band. */
async function verdict_is_aaa(page, where) {
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
  const page = await open(DESK_WINDOW, '');
  const type = async (text, then = 'Enter') => {
    await page.keyboard.type(text);
    await page.keyboard.press(then);
    await page.clock.runFor(400);
  };
  const at = async (testid) => {
    await page.clock.runFor(400);
    await page.getByTestId(testid).first().waitFor({ timeout: 15_000 });
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
  await page.getByText('Uso anulado').waitFor({ timeout: 15_000 });
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
  const page = await open(DESK_WINDOW, '?as=nadia@gym-nuevo.co');
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
    await page.getByTestId(testid).first().waitFor({ timeout: 15_000 });
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
  // The step is on the screen a moment before it has the focus.
  await page.locator('body :focus').first().waitFor({ state: 'attached', timeout: 15_000 });
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

/** The console by keyboard alone: sign in with the code, search, approve with the terms as they are, reject with a reason. */
async function console_walk(open) {
  const page = await open(CONSOLE_WINDOW, '');
  const press = async (key, times = 1) => {
    for (let time = 0; time < times; time += 1) await page.keyboard.press(key);
    await page.clock.runFor(500);
  };
  const at = async (testid) => {
    await page.clock.runFor(500);
    await page.getByTestId(testid).first().waitFor({ timeout: 15_000 });
  };
  /** Tab until something has the focus, as somebody does who sees where it is. */
  const tab_to = async (testid) => {
    for (let tabs = 0; tabs < 60; tabs += 1) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate(() => document.activeElement?.getAttribute('data-testid'))) === testid) return;
    }
    throw new Error(`${testid} is not reached by Tab`);
  };
  while (!(await page.locator('main h1').count())) await page.clock.runFor(100);
  await page.keyboard.type('clara@caja.example');
  await page.keyboard.press('Tab');
  await page.keyboard.type('consola segura');
  await press('Enter');
  await at('otp');
  await page.keyboard.type('123456');
  await press('Enter');
  await at('waiting-registrations');
  await tab_to('nav-registros');
  await press('Enter');
  await at('registration');
  await page.keyboard.press('/');
  await page.keyboard.type('nadia');
  await press('Enter');
  await tab_to('approve');
  await press('Enter');
  await at('confirm');
  await tab_to('confirm');
  await press('Enter');
  await at('said');
  await tab_to('nav-solicitudes');
  await press('Enter');
  await at('request');
  await tab_to('open-request');
  await press('Enter');
  await at('review');
  await tab_to('approve');
  await press('Enter');
  await at('terms-name');
  await press('Enter');
  await at('said');
  // The field has the focus; the next code takes the place of the one that was answered.
  await tab_to('nav-verificar');
  await press('Enter');
  await at('verify-code');
  for (const code of ['c01jd7pw300fay9vvr14d2pf2db2', 'R01J-DPKW-000E-0080-0000-0000-0042']) {
    await page.keyboard.type(code);
    await press('Enter');
    await at('answer');
  }
  await at('verified-total');
  if (await page.locator('dialog[open]').count())
    problem('the approval is still asked', 'keyboard walk of the console');
  await press('Escape');
}

const named = process.argv.slice(2);
const is_view = (name) => name in CONSOLE_VIEWS;
const views_asked = named.filter(is_view);
const wanted = named.filter((name) => !is_view(name));
const asked = ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part));
let looked = 0;

/** Lets the page stand in a view. */
async function turn(page, size, { scheme, contrast, zoom, ...other }) {
  const { width, height } = { ...size, ...other };
  await page.emulateMedia({ colorScheme: scheme, contrast });
  await page.setViewportSize({ width: Math.round(width / zoom), height: Math.round(height / zoom) });
  await page.clock.runFor(100);
}

/** Every state, in every view it is to be seen in. */
async function look_at_all(open, size, views, all) {
  for (const state of all.filter(asked)) {
    const views_of_it = Object.entries(views).filter(
      ([view, { states }]) => states(state) && (views_asked.length === 0 || views_asked.includes(view)),
    );
    if (views_of_it.length === 0) continue;
    const page = await enter(open, size, state);
    await page.evaluate(axe.source);
    for (const [view, { media, only_its_width }] of views_of_it) {
      const where = `${state.name} (${view})`;
      await turn(page, size, media);
      if (!only_its_width) await look(page, where);
      if (await page.getByTestId('verdict').count()) await verdict_is_aaa(page, where);
      // Nothing is cut off to the side, and nobody has to scroll there to read.
      const beyond = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      if (beyond > 0) problem(`wider than the window by ${beyond} px`, where);
      looked += 1;
    }
    await page.context().close();
  }
}

const desk = withBrowser(async (open) => {
  await look_at_all(open, DESK_WINDOW, VIEWS, STATES);
  await walk(open).catch((error) => problem(error.message, 'keyboard walk'));
  await walk_administrator(open).catch((error) => problem(error.message, 'walk of an administrator'));
}, DESK);
const of_the_caja = withBrowser(async (open) => {
  await look_at_all(open, CONSOLE_WINDOW, CONSOLE_VIEWS, CONSOLE_STATES);
  await console_walk(open).catch((error) => problem(error.message, 'keyboard walk of the console'));
}, CONSOLE);
const faults = (await Promise.all([desk, of_the_caja])).flat();

for (const fault of new Set(faults)) console.error(fault);
for (const [text, where] of problems) console.error(`${text}\n    ${where.join(', ')}`);
if (faults.length + problems.size > 0) process.exitCode = 1;
else console.log(`${looked} pages and three walks by keyboard: nothing found`);
