// The built console in Chromium, as somebody of the caja uses it, against a real server; for `tests/e2e/browser.rs`:
//
//   node scripts/console-e2e.js URL PICTURES PREFIX
//
// One deed a line of its input, as JSON: `["sign_in", {"username": …}]`, the names of `deeds` below. One object a line of its
// output: `{"ok": true, "result": …}` when it could be done, axe found nothing on any page it was looked at, and the browser's
// console said nothing; `{"ok": false, "problems": […]}` otherwise. Pictures are left in the folder PICTURES, named from PREFIX.
import axe from 'axe-core';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { launch } from './browser.js';

const [url, pictures, prefix] = process.argv.slice(2);
const WAIT_MS = 30_000;
const STEP_MS = 30_000;

let problems = [];

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
  await page.screenshot({ path: join(pictures, `${prefix}${where}.png`) });
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

/** The other code of six digits: not this one. */
const wrong = (code) => (code === '000000' ? '000001' : '000000');

const deeds = {
  /** The first password by the code of the terminal, then the second factor; gives a recovery code. */
  async first_sign_in({ username, code, password }) {
    await page.goto(`${url}/admin/`);
    await see('username');
    await look('ingreso');
    await click('forgot');
    await fill('email', username);
    await click('have-code');
    await fill('code', code);
    await fill('new-password', password);
    await click('set-password');
    await click('to-sign-in');
    await fill('username', username);
    await fill('password', password);
    await click('sign-in');
    await see('qr');
    await look('segundo-factor');
    const secret = (await page.getByTestId('secret').innerText()).replace(/\s/g, '');
    await fill('otp', wrong(otp(secret, Date.now())));
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
  },

  /** With the second factor: a recovery code, or what its secret gives now. */
  async sign_in({ username, password, recovery, secret }) {
    await page.goto(`${url}/admin/`);
    await fill('username', username);
    await fill('password', password);
    await click('sign-in');
    await fill('otp', recovery ?? otp(secret, Date.now()));
    await click('sign-in');
    await see('waiting-registrations');
  },

  async approve_registration({ who }) {
    await click('nav-registros');
    await read('registration', who);
    await look('registros');
    await page.getByTestId('registration').filter({ hasText: who }).getByTestId('approve').click();
    await click('confirm');
    await read('said', who);
  },

  /** Opens the request of an entity, with its attachment, and takes it up. */
  async review_request({ entity }) {
    await click('nav-solicitudes');
    await page.getByTestId('request').filter({ hasText: entity }).getByTestId('open-request').click();
    await see('history');
    await look('solicitud');
    const download = page.waitForEvent('download');
    await click('download');
    if (!(await (await download).suggestedFilename())) problems.push('the attachment has no name');
    await click('review');
    await read('history', 'En revisión');
  },

  /** The request that is open. */
  async reject_request({ reason }) {
    await click('reject');
    await fill('reason', reason);
    await look('solicitud-rechazar');
    await click('confirm');
    await read('history', 'Rechazada');
  },

  /** The request of an entity, with the terms as they are. */
  async approve_request({ entity }) {
    await click('nav-solicitudes');
    await page.getByTestId('request').filter({ hasText: entity }).getByTestId('open-request').click();
    await click('approve');
    await see('terms-name');
    await look('solicitud-aprobar');
    await click('confirm');
    await read('history', 'Aprobada');
    await page.getByRole('link', { name: 'Ver la entidad' }).click();
    await see('agreement');
    await look('entidad');
  },

  /** A file with something wrong, which changes nothing, and a good one: first tried out, then for good. */
  async import_affiliates({ bad, rejected, good }) {
    await click('nav-afiliados');
    await see('import-file');
    await look('afiliados');
    await page.getByTestId('import-file').setInputFiles(bad);
    await click('send');
    await read('import-outcome', 'no cambió nada');
    await read('rejected-line', rejected);
    await look('afiliados-con-errores');
    await page.getByTestId('import-file').setInputFiles(good);
    await click('send');
    await read('import-outcome', 'Esto cambiaría');
    await click('import-now');
    await click('confirm');
    await read('import-outcome', 'Esto cambió');
    await look('afiliados-importados');
  },

  async revoke_device({ name }) {
    await click('nav-equipos');
    await fill('search', name);
    await page.keyboard.press('Enter');
    const device = page.getByTestId('device').filter({ hasText: name });
    await device.getByTestId('revoke').click();
    await look('equipos-desactivar');
    await click('confirm');
    await device.getByTestId('restore').waitFor();
    await look('equipos');
  },

  /** Who looked a person up, everything there is about that person, and whether the audit is whole. */
  async search_audit({ number, purpose, who }) {
    await click('nav-auditoria');
    await fill('audit-number', number);
    await fill('audit-purpose', purpose);
    await click('audit-ask');
    await read('lookup', who);
    await look('auditoria');
    const download = page.waitForEvent('download');
    await click('export');
    await click('confirm');
    const file = await (await download).path();
    await click('verify');
    await see('chain-good');
    await look('auditoria-integra');
    return JSON.parse(await readFile(file, 'utf8'));
  },

  /** Every other screen, with what stands on it when it has its answer. */
  async look_around() {
    for (const [screen, testid] of [
      ['entidades', 'entity'],
      ['usuarios', 'user'],
      ['uso', 'idle'],
      ['verificar', 'verify-code'],
      ['llaves', 'key'],
    ]) {
      await click(`nav-${screen}`);
      await see(testid);
      await look(screen);
    }
    await click('rotate');
    await click('confirm');
    await read('said', 'firma');
  },

  /** Loading the page again goes on; signing out ends it. */
  async come_and_go() {
    await page.reload();
    await see('nav-llaves');
    await click('sign-out');
    await see('username');
  },
};

/** Does one deed, and says how it went. */
async function does([name, details]) {
  problems = [];
  let result;
  try {
    result = await deeds[name](details);
  } catch (error) {
    problems.push(error.stack ?? String(error));
    await page.screenshot({ path: join(pictures, `${prefix}no-${name}.png`) });
  }
  if (problems.length > 0) return { ok: false, problems: [...new Set(problems)] };
  return { ok: true, result: result ?? null };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await does(JSON.parse(line))));
}
await browser.close();
