// A day of the caja in the built console, in Chromium, against a real server: `node scripts/console-e2e.js`, started by
// `tests/e2e/console.rs`, which prepares the server and says in `HANNA_CONSOLE_DAY` (JSON) what it prepared:
//
//   {url, username, code, password, registration, entity, device, bad_csv, good_csv, rejected, pictures}
//
// Ends with 0 when everything could be done, axe found nothing on any page, and the browser's console said nothing.
import axe from 'axe-core';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { launch } from './browser.js';

const day = JSON.parse(process.env.HANNA_CONSOLE_DAY ?? '{}');
const WAIT_MS = 30_000;
const STEP_MS = 30_000;

const problems = [];

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: 'es-CO' });
context.setDefaultTimeout(WAIT_MS);
const page = await context.newPage();
// A policy that refuses something says so there, as an error.
page.on('console', (message) => {
  if (message.type() === 'error' && !expected(message))
    problems.push(`the browser's console: ${message.text()}`);
});
page.on('pageerror', (error) => problems.push(`the page: ${error.message}`));

/** The browser notes every answer that is an error; those to a password without its code, or a wrong one, are meant. */
function expected(message) {
  return /status of (401|403|422)/.test(message.text()) && message.location().url.includes('/v1/');
}

const see = (testid) => page.getByTestId(testid).first().waitFor();
const click = (testid) => page.getByTestId(testid).first().click();
const fill = (testid, text) => page.getByTestId(testid).fill(text);

async function read(testid, part) {
  await page.getByTestId(testid).filter({ hasText: part }).first().waitFor();
}

/** axe on what is shown now, and a picture of it. */
async function look(where) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  for (const { id, help, nodes } of violations) {
    for (const { target } of nodes) problems.push(`${where}: ${id}: ${help}: ${target}`);
  }
  if (day.pictures) await page.screenshot({ path: join(day.pictures, `consola-${where}.png`) });
}

/** What an authenticator application shows for a secret (RFC 6238: SHA-1, 30 seconds, six digits). */
function otp(secret, now_ms) {
  const bits = [...secret].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const key = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(now_ms / STEP_MS)));
  const mac = createHmac('sha1', key).update(step).digest();
  const number = mac.readUInt32BE(mac[mac.length - 1] & 0xf) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** The first password by the code of the terminal, then the second factor; returns a recovery code. */
async function first_sign_in() {
  await page.goto(`${day.url}/admin/`);
  await see('username');
  await look('ingreso');
  await click('forgot');
  await fill('email', day.username);
  await click('have-code');
  await fill('code', day.code);
  await fill('new-password', day.password);
  await click('set-password');
  await click('to-sign-in');
  await fill('username', day.username);
  await fill('password', day.password);
  await click('sign-in');
  await see('qr');
  await look('segundo-factor');
  const secret = (await page.getByTestId('secret').innerText()).replace(/\s/g, '');
  await fill('otp', '000000' === otp(secret, Date.now()) ? '000001' : '000000');
  await click('confirm-factor');
  await see('error');
  await fill('otp', otp(secret, Date.now()));
  await click('confirm-factor');
  await see('recovery-codes');
  await look('codigos-de-recuperacion');
  const [recovery] = await page.getByTestId('recovery-codes').locator('li').allInnerTexts();
  await page.getByTestId('kept').check();
  await click('go-on');
  await see('waiting-registrations');
  await look('inicio');
  return recovery;
}

async function approve_registration() {
  await click('nav-registros');
  await read('registration', day.registration);
  await look('registros');
  await page.getByTestId('registration').filter({ hasText: day.registration }).getByTestId('approve').click();
  await click('confirm');
  await read('said', day.registration);
}

async function approve_request() {
  await click('nav-solicitudes');
  await page.getByTestId('request').filter({ hasText: day.entity }).getByTestId('open-request').click();
  await see('history');
  await look('solicitud');
  const download = page.waitForEvent('download');
  await click('download');
  if (!(await (await download).suggestedFilename())) problems.push('the attachment has no name');
  await click('review');
  await read('history', 'En revisión');
  await click('approve');
  await see('terms-name');
  await look('solicitud-aprobar');
  await click('confirm');
  await read('history', 'Aprobada');
  await page.getByRole('link', { name: 'Ver la entidad' }).click();
  await see('agreement');
  await look('entidad');
}

async function import_affiliates() {
  await click('nav-afiliados');
  await see('import-file');
  await look('afiliados');
  await page.getByTestId('import-file').setInputFiles(day.bad_csv);
  await click('send');
  await read('import-outcome', 'no cambió nada');
  await read('rejected-line', day.rejected);
  await look('afiliados-con-errores');
  await page.getByTestId('import-file').setInputFiles(day.good_csv);
  await click('send');
  await read('import-outcome', 'Esto cambiaría');
  await click('import-now');
  await click('confirm');
  await read('import-outcome', 'Esto cambió');
  await look('afiliados-importados');
}

async function revoke_device() {
  await click('nav-equipos');
  await fill('search', day.device);
  await page.keyboard.press('Enter');
  const device = page.getByTestId('device').filter({ hasText: day.device });
  await device.getByTestId('revoke').click();
  await look('equipos-desactivar');
  await click('confirm');
  await device.getByTestId('restore').waitFor();
  await look('equipos');
}

/** Every other screen, with what stands on it when it has its answer. */
async function look_around() {
  for (const [screen, testid] of [
    ['entidades', 'entity'],
    ['usuarios', 'user'],
    ['uso', 'idle'],
    ['llaves', 'key'],
  ]) {
    await click(`nav-${screen}`);
    await see(testid);
    await look(screen);
  }
  await click('rotate');
  await click('confirm');
  await read('said', 'firma');
}

/** Loading the page again goes on; signing out ends it; a recovery code opens it once more. */
async function come_and_go(recovery) {
  await page.reload();
  await see('key');
  await click('sign-out');
  await see('username');
  await fill('username', day.username);
  await fill('password', day.password);
  await click('sign-in');
  await fill('otp', recovery);
  await click('sign-in');
  await see('waiting-registrations');
}

try {
  const recovery = await first_sign_in();
  await approve_registration();
  await approve_request();
  await import_affiliates();
  await revoke_device();
  await look_around();
  await come_and_go(recovery);
} catch (error) {
  problems.push(error.stack ?? String(error));
  if (day.pictures) await page.screenshot({ path: join(day.pictures, 'consola-no.png') });
} finally {
  await browser.close();
}
for (const problem of new Set(problems)) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
