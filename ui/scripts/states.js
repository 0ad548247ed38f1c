// Every state of every screen worth a picture, and how to get there as an operator would.

const ANA = '?as=ana&sede=GYM-01';
const field = (page) => page.getByTestId('document');

async function consult(page, number) {
  await field(page).fill(number);
  await page.keyboard.press('Enter');
  await page.clock.runFor(400);
  await page.getByTestId('card').waitFor();
}

/** Consults a person, from a signed-in start. */
const card = (name, number, { query = '', then = async () => {} } = {}) => ({
  name,
  query: `${ANA}${query}`,
  act: async (page) => {
    await consult(page, number);
    await then(page);
  },
});

const press =
  (key, ms = 300) =>
  async (page) => {
    await page.keyboard.press(key);
    await page.clock.runFor(ms);
  };

async function report(page, numbers) {
  for (const number of numbers) {
    await consult(page, number);
    await press('F2')(page);
  }
}

/** Opens the dialog, and waits until it stands. */
const begin = (testid) => async (page) => {
  await page.getByTestId(testid).first().click();
  await page.clock.runFor(100);
  await page.locator('dialog[open]').waitFor();
};

/** Takes the use of the card back. */
async function void_use(page, reason = 'REPORTED_TWICE') {
  await begin('void-use')(page);
  await page.getByTestId(`void-reason-${reason}`).check();
  await press('Enter')(page);
}

/** Types into the fields of *Crear usuario*, step by step, as far as the step asked for. */
const create = (upto) => async (page) => {
  const steps = [
    { nit: '900.123.456-8', entity_name: 'GYM NUEVO' },
    { display_name: 'Nadia Núñez', email: 'nadia@gym-nuevo.co', phone: '300 123 45 67' },
    { 'new-password': 'cuatro xilofonos' },
    {},
    { code: '123456' },
  ];
  await page.getByTestId('create-account').click();
  await page.clock.runFor(300);
  for (const [index, fields] of steps.entries()) {
    for (const [testid, text] of Object.entries(fields)) await page.getByTestId(testid).fill(text);
    await page.clock.runFor(300);
    if (index === upto) return;
    if (index === 3) await page.getByTestId('accepted').check();
    await page.getByTestId('next').click();
    await page.clock.runFor(300);
  }
  await page.getByTestId('to-sign-in').waitFor();
};

/** Asks for the code of a forgotten password. */
async function forget(page) {
  await page.getByTestId('forgot-password').click();
  await page.clock.runFor(300);
  await page.getByTestId('email').fill('nadia@gym-nuevo.co');
  await press('Enter')(page);
  await page.getByTestId('code').waitFor();
}

const NADIA = '?as=nadia@gym-nuevo.co';
const CARMEN = '?as=carmen&sede=GYM-01';

/** Fills in *Solicitar CONVENIOS*, step by step, as far as the step asked for. */
const request = (upto) => async (page) => {
  const steps = [
    { contact_email: 'nadia@gym-nuevo.co', contact_phone: '300 123 45 67' },
    { benefit: '20 % de descuento en la mensualidad y una valoración física sin costo al ingresar.' },
    {
      'branch-0-name': 'Sede Norte',
      'branch-0-city': 'Barranquilla',
      'branch-0-address': 'Carrera 53 # 76-100',
    },
    {},
    {},
  ];
  await page.getByTestId('request-it').click();
  await page.clock.runFor(300);
  for (const [index, fields] of steps.entries()) {
    for (const [testid, text] of Object.entries(fields)) await page.getByTestId(testid).fill(text);
    if (index === 3) await attach(page, 'cámara de comercio GYM NUEVO.pdf', '%PDF-1.7');
    if (index === upto) return;
    await page.getByTestId('next').click();
    await page.clock.runFor(300);
  }
  await page.getByTestId('to-applications').waitFor();
};

async function attach(page, name, begins) {
  const buffer = Buffer.concat([Buffer.from(begins), Buffer.alloc(482_113)]);
  await page.getByTestId('file-input').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
  await page.clock.runFor(300);
}

/** Opens what an administrator does with somebody. */
const manage = (username) => async (page) => {
  await page.locator(`[data-username="${username}"]`).getByTestId('manage').click();
  await page.clock.runFor(100);
  await page.locator('dialog[open]').waitFor();
};

export const STATES = [
  { name: 'ingreso', query: '' },
  { name: 'crear-usuario-entidad', query: '', act: create(0) },
  {
    name: 'crear-usuario-nit-errado',
    query: '',
    act: async (page) => {
      await create(0)(page);
      await page.getByTestId('nit').fill('900123456-1');
      await press('Enter')(page);
      await page.getByTestId('error').waitFor();
    },
  },
  { name: 'crear-usuario-persona', query: '', act: create(1) },
  { name: 'crear-usuario-contrasena', query: '', act: create(2) },
  { name: 'crear-usuario-aviso', query: '', act: create(3) },
  { name: 'crear-usuario-codigo', query: '', act: create(4) },
  { name: 'crear-usuario-pendiente', query: '', act: create(5) },
  {
    name: 'olvide-contrasena',
    query: '',
    act: async (page) => {
      await page.getByTestId('forgot-password').click();
      await page.clock.runFor(300);
    },
  },
  { name: 'contrasena-nueva', query: '', act: forget },
  {
    name: 'cambiar-contrasena',
    query: ANA,
    act: async (page) => {
      await page.getByTestId('operator').click();
      await page.clock.runFor(300);
      await page.getByTestId('new-password').fill('colombia2026');
      await page.clock.runFor(300);
    },
  },
  {
    name: 'ingreso-error',
    query: '?notice=NO_KEYRING',
    act: async (page) => {
      await page.getByTestId('username').fill('ana');
      await page.getByTestId('password').fill('otra');
      await page.keyboard.press('Enter');
      await page.clock.runFor(300);
      await page.getByTestId('error').waitFor();
    },
  },
  {
    name: 'ingreso-sin-conexion',
    query: '?offline',
    act: async (page) => {
      await page.getByTestId('username').fill('ana');
      await page.getByTestId('password').fill('convenios');
      await page.keyboard.press('Enter');
      await page.clock.runFor(300);
      await page.getByTestId('error').waitFor();
    },
  },
  { name: 'arranque-fallo', query: '?fail=start:STORE_WRONG_KEY' },
  { name: 'aplicaciones', query: '?as=ana' },
  { name: 'aplicaciones-en-revision', query: '?as=pedro' },
  { name: 'aplicaciones-rechazada', query: '?as=sofia' },
  { name: 'aplicaciones-sin-solicitar', query: NADIA },
  { name: 'aplicaciones-administrador', query: CARMEN + '#/aplicaciones' },
  {
    name: 'aplicaciones-aprobada-ahora',
    query: '?as=pedro',
    act: async (page) => {
      await page.evaluate(() => window.hanna.decide('APPROVED'));
      await page.clock.runFor(21_000);
      await page.getByTestId('approved-now').waitFor();
      await page.locator('summary').click();
    },
  },
  { name: 'solicitud-contacto', query: NADIA, act: request(0) },
  { name: 'solicitud-beneficio', query: NADIA, act: request(1) },
  { name: 'solicitud-sedes', query: NADIA, act: request(2) },
  {
    name: 'solicitud-sedes-falta',
    query: NADIA,
    act: async (page) => {
      await request(2)(page);
      await page.getByTestId('add-branch').click();
      await press('Enter')(page);
      await page.getByTestId('error').waitFor();
    },
  },
  { name: 'solicitud-archivo', query: NADIA, act: request(3) },
  {
    name: 'solicitud-archivo-no-sirve',
    query: NADIA,
    act: async (page) => {
      await request(3)(page);
      await page.getByTestId('remove-file').click();
      await page.clock.runFor(300);
      await attach(page, 'foto.gif', 'GIF89a');
      await page.getByTestId('error').waitFor();
    },
  },
  { name: 'solicitud-revisar', query: NADIA, act: request(4) },
  {
    name: 'solicitud-enviando',
    query: `${NADIA}&server=60000`,
    act: async (page) => {
      await request(4)(page);
      await page.getByTestId('next').click();
      await page.clock.runFor(300);
      await page.getByTestId('upload').waitFor();
    },
  },
  {
    name: 'solicitud-sin-conexion',
    query: NADIA,
    act: async (page) => {
      await request(4)(page);
      await page.evaluate(() => window.hanna.set_online(false));
      await page.getByTestId('next').click();
      await page.clock.runFor(300);
      await page.getByTestId('error').waitFor();
    },
  },
  { name: 'solicitud-enviada', query: NADIA, act: request(5) },
  {
    name: 'solicitud-corregir',
    query: '?as=sofia',
    act: async (page) => {
      await page.getByTestId('request-it').click();
      await page.clock.runFor(300);
      await page.getByTestId('request-content').waitFor();
    },
  },
  { name: 'solicitud-ya-enviada', query: '?as=pedro#/solicitud' },
  { name: 'usuarios', query: `${CARMEN}#/usuarios` },
  { name: 'usuarios-nadie-mas', query: `${CARMEN}&alone#/usuarios` },
  { name: 'usuarios-error', query: `${CARMEN}&offline#/usuarios` },
  {
    name: 'usuarios-no-encontrado',
    query: `${CARMEN}#/usuarios`,
    act: async (page) => {
      await page.getByTestId('user-search').fill('Zoraida');
      await page.clock.runFor(800);
      await page.getByTestId('users-none').waitFor();
    },
  },
  {
    name: 'usuarios-invitar',
    query: `${CARMEN}#/usuarios`,
    act: async (page) => {
      await begin('invite')(page);
      await page.getByTestId('display_name').fill('Delio Ustate');
      await page.getByTestId('email').fill('keila@gymcaribe.co');
      await press('Enter')(page);
      await page.getByTestId('error').waitFor();
    },
  },
  {
    name: 'usuarios-invitado',
    query: `${CARMEN}#/usuarios`,
    act: async (page) => {
      await begin('invite')(page);
      await page.getByTestId('display_name').fill('Delio Ustate');
      await page.getByTestId('email').fill('delio@gymcaribe.co');
      await press('Enter')(page);
      await page.getByTestId('invited').waitFor();
    },
  },
  {
    name: 'usuario-suspendido-por-la-caja',
    query: `${CARMEN}#/usuarios`,
    act: manage('wilmer@gymcaribe.co'),
  },
  { name: 'usuario', query: `${CARMEN}#/usuarios`, act: manage('yuranis@gymcaribe.co') },
  {
    name: 'usuario-suspender',
    query: `${CARMEN}#/usuarios`,
    act: async (page) => {
      await manage('yuranis@gymcaribe.co')(page);
      await page.getByTestId('user-suspend').click();
      await page.clock.runFor(100);
    },
  },
  {
    name: 'usuario-contrasena',
    query: `${CARMEN}#/usuarios`,
    act: async (page) => {
      await manage('yuranis@gymcaribe.co')(page);
      await page.getByTestId('user-reset').click();
      await page.getByTestId('question-confirm').click();
      await page.clock.runFor(300);
      await page.getByTestId('done').waitFor();
    },
  },
  { name: 'sede', query: '?as=ana#/sede' },
  {
    name: 'sede-buscar',
    query: `${ANA}#/sede`,
    act: async (page) => page.getByTestId('branch-search').fill('soledad'),
  },
  { name: 'sede-ninguna', query: '?as=marta#/sede' },
  { name: 'consulta-vacia', query: ANA },
  card('consulta-activo', '1.045.678.901'),
  card('consulta-nombres-largos', '1143000111'),
  card('consulta-nombres-largos-con-aviso', '1143000111', {
    then: async (page) => {
      await page.evaluate(() => window.hanna.set_minimum('0.2.0'));
      await press('F2')(page);
    },
  }),
  card('consulta-una-sola-parte', '72345678'),
  card('consulta-activo-copia', '1045678901', { query: '&offline' }),
  card('consulta-no-activo', '22543312'),
  card('consulta-no-activo-varias', '32654987'),
  card('consulta-no-registra', '99999999'),
  card('consulta-sin-dato', '1045678902', { query: '&offline' }),
  card('consulta-ya-usado', '1234567890'),
  card('consulta-ya-usado-confirmar', '1234567890', { then: press('F2') }),
  card('consulta-reportado', '1045678901', { then: press('F2') }),
  card('consulta-reportado-enviado', '1045678901', { then: press('F2', 1500) }),
  card('consulta-no-guardado', '1045678901', { query: '&fail=report_use:DISK_FULL', then: press('F2') }),
  card('consulta-anular', '1045678901', {
    then: (page) => press('F2', 1500)(page).then(() => begin('void-use')(page)),
  }),
  card('consulta-anular-motivo', '1045678901', {
    then: async (page) => {
      await press('F2', 1500)(page);
      await begin('void-use')(page);
      await page.getByTestId('void-reason-OTHER').check();
      await press('Enter')(page);
      await page.getByTestId('error').waitFor();
    },
  }),
  card('consulta-anular-no', '1045678901', {
    query: '&fail=void_use:VOID_NOT_ALLOWED',
    then: async (page) => {
      await press('F2', 1500)(page);
      await void_use(page, 'WRONG_PERSON');
      await page.getByTestId('error').waitFor();
    },
  }),
  card('consulta-anulado', '1045678901', {
    then: async (page) => {
      await press('F2', 1500)(page);
      await void_use(page);
    },
  }),
  card('consulta-requiere-atencion', '1045678901', {
    query: '&offline',
    then: async (page) => {
      await press('F2')(page);
      await page.evaluate(() => window.hanna.refuse_items('STATEMENT_NOT_VALID'));
    },
  }),
  card('consulta-programa-viejo', '72345678', {
    then: async (page) => {
      await page.evaluate(() => window.hanna.set_minimum('0.2.0'));
      await press('F2')(page);
      await page.evaluate(() => window.hanna.refuse_items('STATEMENT_NOT_VALID'));
      await report(page, ['1045678901']);
    },
  }),
  card('consulta-cuenta-atras', '1045678901', { then: (page) => page.clock.runFor(75_000) }),
  {
    name: 'consulta-esperando',
    query: `${ANA}&server=2500`,
    act: async (page) => {
      await field(page).fill('1045678901');
      await page.keyboard.press('Enter');
      await page.clock.runFor(600);
    },
  },
  {
    name: 'consulta-reemplazada',
    query: `${ANA}&server=5000`,
    act: async (page) => {
      await field(page).fill('22543312');
      await page.keyboard.press('Enter');
      await page.clock.runFor(400);
      await press('Escape')(page);
      await field(page).fill('1045678902');
      await page.keyboard.press('Enter');
      await page.clock.runFor(6000);
      await page.getByTestId('notice').waitFor();
    },
  },
  {
    name: 'consulta-error',
    query: ANA,
    act: async (page) => {
      await field(page).fill('10456789O1');
      await page.keyboard.press('Enter');
      await page.clock.runFor(300);
      await page.getByTestId('error').waitFor();
    },
  },
  {
    name: 'consulta-sesion-terminada',
    query: `${ANA}&sign-in-needed&notice=CACHE_REBUILT`,
    act: (page) => consult(page, '1045678901'),
  },
  {
    name: 'ingresar-otra-vez',
    query: `${ANA}&sign-in-needed`,
    act: async (page) => {
      await page.getByTestId('sign-in-again').click();
      await page.getByTestId('password').waitFor();
    },
  },
  { name: 'por-enviar-vacio', query: `${ANA}#/por-enviar` },
  {
    name: 'por-enviar',
    query: `${ANA}&offline`,
    act: async (page) => {
      await report(page, ['1045678901', '1143000111']);
      await page.evaluate(() => window.hanna.refuse_items('STATEMENT_NOT_VALID'));
      await page.keyboard.press('Escape');
      // The same person once more: that takes the second key.
      await report(page, ['1045678901']);
      await press('Shift+F2')(page);
      await press('F6', 500)(page);
      await page.getByTestId('outbox-item').first().waitFor();
    },
  },
  {
    name: 'por-enviar-anulaciones',
    query: `${ANA}&offline`,
    act: async (page) => {
      await report(page, ['1045678901']);
      await page.evaluate(() => window.hanna.refuse_items('STATEMENT_NOT_VALID'));
      await report(page, ['1143000111']);
      await void_use(page, 'WRONG_PERSON');
      await page.evaluate(() => window.hanna.refuse_items('VOID_NOT_ALLOWED'));
      await press('F6', 500)(page);
      await page.getByTestId('outbox-item').first().waitFor();
    },
  },
  {
    name: 'por-enviar-desistir',
    query: `${ANA}&offline`,
    act: async (page) => {
      await report(page, ['1045678901']);
      await page.evaluate(() => window.hanna.refuse_items('STATEMENT_NOT_VALID'));
      await press('F6', 500)(page);
      await begin('withdraw-item')(page);
      await press('Enter')(page);
      await page.getByTestId('error').waitFor();
    },
  },
  {
    name: 'por-enviar-consultas',
    query: `${ANA}&offline`,
    act: async (page) => {
      await consult(page, '1045678901');
      await consult(page, '22543312');
      await press('F6', 500)(page);
      await page.getByTestId('outbox-lookups').waitFor();
    },
  },
  {
    name: 'consulta-sincronizado',
    query: `${ANA}&offline`,
    act: async (page) => {
      await report(page, ['1045678901', '1143000111']);
      await page.keyboard.press('Escape');
      await page.evaluate(() => window.hanna.set_online(true));
      await page.clock.runFor(2000);
      await page.getByTestId('synced').waitFor();
    },
  },
  {
    name: 'por-enviar-sincronizado',
    query: `${ANA}&offline`,
    act: async (page) => {
      await report(page, ['1045678901', '1143000111']);
      await void_use(page, 'WRONG_PERSON');
      await page.keyboard.press('Escape');
      await report(page, ['1045678901']);
      await press('Shift+F2')(page);
      await page.evaluate(() => window.hanna.set_online(true));
      await page.clock.runFor(2000);
      await press('F6', 500)(page);
      await page.getByTestId('last-sync').waitFor();
    },
  },
  card('consulta-anulacion-rechazada', '1045678901', {
    then: async (page) => {
      await press('F2', 1500)(page);
      await page.evaluate(() => window.hanna.set_online(false));
      await void_use(page);
      await page.evaluate(() => window.hanna.refuse_items('VOID_NOT_ALLOWED'));
    },
  }),
  {
    name: 'salir-con-pendientes',
    query: `${ANA}&offline`,
    act: async (page) => {
      await report(page, ['1045678901']);
      await page.getByTestId('sign-out').click();
      await page.clock.runFor(300);
      await page.getByTestId('sign-out-confirm').waitFor();
    },
  },
  { name: 'reporte', query: `${ANA}#/reporte` },
  {
    name: 'reporte-anular',
    query: `${ANA}#/reporte`,
    act: begin('void-row'),
  },
  {
    name: 'reporte-anulado',
    query: `${ANA}#/reporte`,
    act: async (page) => {
      await begin('void-row')(page);
      await page.getByTestId('void-reason-OTHER').check();
      await page.getByTestId('void-text').fill('La persona decidió volver otro día.');
      await press('Enter')(page);
      await page.getByTestId('history-void').first().waitFor();
    },
  },
  { name: 'reporte-vacio', query: `${ANA}&history=0#/reporte` },
  { name: 'reporte-incompleto', query: `${ANA}&offline#/reporte` },
  { name: 'reporte-error', query: `${ANA}&fail=history:SERVER_FAILED#/reporte` },
  {
    name: 'reporte-fecha-invalida',
    query: `${ANA}#/reporte`,
    act: async (page) => {
      await page.getByTestId('date-to').fill('31/02/2026');
      await page.keyboard.press('Enter');
    },
  },
  {
    name: 'reporte-guardado',
    query: `${ANA}#/reporte`,
    act: async (page) => {
      await page.getByTestId('save-pdf').click();
      await page.clock.runFor(300);
      await page.getByTestId('saved-path').waitFor();
    },
  },
  {
    name: 'reporte-imprimir',
    query: `${ANA}#/reporte`,
    act: async (page) => {
      await page.getByTestId('print').click();
      await page.clock.runFor(300);
      await page.getByTestId('printer-select').waitFor();
    },
  },
  {
    name: 'reporte-impreso',
    query: `${ANA}&print=done#/reporte`,
    act: async (page) => {
      await page.getByTestId('print').click();
      await page.clock.runFor(300);
      await page.getByTestId('print-confirm').click();
      await page.clock.runFor(300);
      await page.getByTestId('print-result').waitFor();
    },
  },
  {
    name: 'reporte-sin-impresoras',
    query: `${ANA}&printers=#/reporte`,
    act: async (page) => {
      await page.getByTestId('print').click();
      await page.clock.runFor(300);
      await page.getByTestId('print-preview').waitFor();
    },
  },
];

/** Opens a state: lets the desk answer its first questions, then acts. */
export async function enter(open, view, { query, act }) {
  const page = await open(view, query);
  // Time stands still: it has to be let go until the desk has answered.
  while (!(await page.locator('main h1').count())) await page.clock.runFor(100);
  await page.clock.runFor(300);
  await act?.(page);
  await page.clock.runFor(100);
  return page;
}
