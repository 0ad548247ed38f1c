// Every state of every screen of the console worth a picture, and how to get there as somebody of the caja would.

const CLARA = '?as=clara';

const see = (testid) => (page) => page.getByTestId(testid).first().waitFor({ timeout: 5000 });

/** Presses a button, and lets the server answer. */
const click =
  (testid, ms = 400) =>
  async (page) => {
    await page.getByTestId(testid).first().click();
    await page.clock.runFor(ms);
  };

const fill = (testid, text) => (page) => page.getByTestId(testid).fill(text);

const enter_key = async (page) => {
  await page.keyboard.press('Enter');
  await page.clock.runFor(400);
};

/** One thing after the other. */
const then =
  (...steps) =>
  async (page) => {
    for (const step of steps) await step(page);
  };

const sign_in = (password = 'consola segura', user = 'clara@caja.example') =>
  then(fill('username', user), fill('password', password), enter_key);

const choose_file = (name) => async (page) => {
  await page.getByTestId('import-file').setInputFiles({
    name,
    mimeType: 'text/csv',
    buffer: Buffer.from('documento;tarifa\n1045678901;B\n'),
  });
};

const screen = (name, hash, act) => ({ name: `consola-${name}`, query: `${CLARA}#/${hash}`, act });
const at = (name, query, act) => ({ name: `consola-${name}`, query, act });

const RECEIPT = 'C01J-D7PW-300F-AY9V-VR14-D2PF-2DB2';
const verified = (name, code, seen) =>
  screen(name, 'verificar', then(fill('verify-code', code), enter_key, seen));

export const CONSOLE_STATES = [
  at('ingreso', ''),
  at('ingreso-error', '', then(sign_in('otra'), see('error'))),
  at('ingreso-otra-entidad', '', then(sign_in(undefined, 'ana@gymcaribe.co'), see('error'))),
  at('ingreso-sin-conexion', '?fail=sign_in:UNREACHABLE', then(sign_in(), see('error'))),
  at('segundo-factor', '', then(sign_in(), see('otp'))),
  at('segundo-factor-error', '', then(sign_in(), fill('otp', '654321'), enter_key, see('error'))),
  at('invitacion', '', then(click('forgot'), see('email'))),
  at(
    'contrasena-nueva',
    '',
    then(click('forgot'), fill('email', 'ivan@caja.example'), enter_key, see('code')),
  ),
  at('configurar-factor', '?to-set-up', then(sign_in(), see('qr'))),
  at(
    'codigos-recuperacion',
    '?to-set-up',
    then(sign_in(), see('qr'), fill('otp', '123456'), enter_key, see('recovery-codes')),
  ),
  at('fallo-al-abrir', '?as=clara&fail=me:UNAVAILABLE', see('error')),

  screen('inicio', 'inicio', see('waiting-devices')),
  at('inicio-vacio', `${CLARA}&empty#/inicio`, see('nothing')),
  at('inicio-error', `${CLARA}&fail=devices:UNAVAILABLE,registrations:INTERNAL#/inicio`, see('error')),
  {
    name: 'consola-sesion-terminada',
    query: `${CLARA}#/equipos`,
    act: async (page) => {
      await page.evaluate(() => window.hanna.end_session());
      await see('again')(page);
    },
  },

  screen('registros', 'registros', see('registration')),
  screen('registros-todos', 'registros?estado=todos', see('registration')),
  screen('registros-nada', 'registros?q=xyzzy', see('none-found')),
  at('registros-vacio', `${CLARA}&empty#/registros`, see('empty')),
  at('registros-error', `${CLARA}&fail=registrations:UNAVAILABLE#/registros`, see('error')),
  screen('registros-aprobar', 'registros', then(click('approve'), see('confirm'))),
  screen('registros-aprobado', 'registros', then(click('approve'), click('confirm'), see('said'))),
  screen('registros-rechazar', 'registros', then(click('reject'), click('confirm'), see('error'))),
  at(
    'registros-ya-decidido',
    `${CLARA}&fail=approve_registration:NOT_PENDING#/registros`,
    then(click('approve'), click('confirm'), see('error')),
  ),

  screen('solicitudes', 'solicitudes', see('request')),
  screen('solicitud', 'solicitudes/018f3a2b-0005-7000-8000-000000000000', see('history')),
  screen(
    'solicitud-imagen',
    'solicitudes/018f3a2b-0005-7000-8000-000000000001',
    then(see('history'), click('look'), see('picture')),
  ),
  screen(
    'solicitud-aprobar',
    'solicitudes/018f3a2b-0005-7000-8000-000000000000',
    then(see('history'), click('approve'), see('terms-name')),
  ),
  screen(
    'solicitud-aprobar-error',
    'solicitudes/018f3a2b-0005-7000-8000-000000000001',
    then(
      see('history'),
      click('approve'),
      fill('terms-daily_limit', '0'),
      fill('branch-code-0', 'x'),
      click('confirm'),
      see('error'),
    ),
  ),
  screen('solicitud-no-existe', 'solicitudes/018f3a2b-0005-7000-8000-000000000099', see('error')),

  screen('entidades', 'entidades', see('entity')),
  screen(
    'entidades-crear',
    'entidades',
    then(click('create'), fill('nit', '900123456-1'), enter_key, see('error')),
  ),
  at('entidades-vacio', `${CLARA}&empty#/entidades`, see('empty')),
  screen('entidad', 'entidades/018f3a2b-0001-7000-8000-000000000000', see('agreement')),
  screen('entidad-nueva', 'entidades/018f3a2b-0001-7000-8000-000000000003', see('branches')),
  screen(
    'entidad-sede',
    'entidades/018f3a2b-0001-7000-8000-000000000000',
    then(see('agreement'), click('add-branch'), see('branch-code')),
  ),
  screen(
    'entidad-cerrar-sede',
    'entidades/018f3a2b-0001-7000-8000-000000000000',
    then(see('agreement'), click('close-branch'), see('confirm')),
  ),
  screen(
    'entidad-convenio',
    'entidades/018f3a2b-0001-7000-8000-000000000000',
    then(see('agreement'), click('change-agreement'), see('terms-branches')),
  ),

  screen('usuarios', 'usuarios', see('user')),
  screen('usuarios-de-entidad', 'usuarios?entidad=018f3a2b-0001-7000-8000-000000000001', see('user')),
  screen(
    'usuarios-cambiar',
    'usuarios?estado=ACTIVE&rol=OPERATOR',
    then(click('change-user'), see('suspend')),
  ),
  screen(
    'usuarios-suspender',
    'usuarios?estado=ACTIVE&rol=OPERATOR',
    then(click('change-user'), click('suspend'), see('confirm')),
  ),
  screen(
    'usuarios-invitar',
    'usuarios',
    then(
      click('invite'),
      click('invite-entity-018f3a2b-0001-7000-8000-000000000000'),
      see('invite-branches'),
    ),
  ),
  screen('usuarios-invitar-error', 'usuarios', then(click('invite'), click('confirm'), see('error'))),

  screen('equipos', 'equipos', see('device')),
  screen('equipos-por-mirar', 'equipos?ver=por-mirar', see('device')),
  screen('equipos-desactivar', 'equipos?ver=por-mirar', then(click('revoke'), see('confirm'))),

  screen('afiliados', 'afiliados', see('past-import')),
  at('afiliados-vacio', `${CLARA}&empty#/afiliados`, see('empty')),
  at(
    'afiliados-enviando',
    `${CLARA}&latency=4000#/afiliados`,
    then(
      (page) => page.clock.runFor(8000),
      choose_file('afiliados-diciembre.csv'),
      click('send', 5000),
      see('sending'),
    ),
  ),
  at(
    'afiliados-leyendo',
    `${CLARA}&steps=20#/afiliados`,
    then(see('past-import'), choose_file('afiliados-diciembre.csv'), click('send', 6000), see('running')),
  ),
  screen(
    'afiliados-prueba-buena',
    'afiliados',
    then(see('past-import'), choose_file('afiliados-diciembre.csv'), click('send', 12_000), see('counts')),
  ),
  screen(
    'afiliados-con-errores',
    'afiliados',
    then(see('past-import'), choose_file('afiliados-mal.csv'), click('send', 12_000), see('rejected-line')),
  ),
  screen(
    'afiliados-reemplazar',
    'afiliados',
    then(
      see('past-import'),
      choose_file('afiliados-diciembre.csv'),
      click('import-mode-replace'),
      click('dry-run'),
      click('send'),
      see('confirm'),
    ),
  ),
  screen('afiliados-sin-archivo', 'afiliados', then(see('past-import'), click('send'), see('error'))),

  screen('uso', 'uso', see('usage-entity')),
  screen('uso-sedes', 'uso?todas=si', then(see('usage-entity'), click('toggle'), see('usage-branch'))),
  at('uso-vacio', `${CLARA}&empty#/uso`, see('empty')),

  screen('verificar', 'verificar', see('empty')),
  verified('verificar-comprobante', RECEIPT, see('answer')),
  verified('verificar-anulado', 'C01J-DPKW-1Q8F-M91T-XR4H-V6B2-N0CQ', see('answer')),
  verified('verificar-reporte', 'R01J-DPKW-000E-0080-0000-0000-0042', see('answer')),
  verified('verificar-reporte-sin-usos', 'r01jdpkw4t5ch60qtn1er380j79m', see('answer')),
  verified('verificar-desconocido', 'C01J-DPKW-2R7E-K80S-WQ3G-T5A1-M9B4', see('answer')),
  verified('verificar-reporte-desconocido', 'R01J-DPKW-5V4B-G50P-SM0D-Q270-H688', see('answer')),
  verified('verificar-mal-escrito', 'C01J-D7PW-300F-AY8V-VR14-D2PF-2DB2', see('error')),
  verified('verificar-incompleto', 'C01J-D7PW-300F', see('error')),
  at(
    'verificar-esperando',
    `${CLARA}&latency=4000#/verificar`,
    then((page) => page.clock.runFor(8000), fill('verify-code', RECEIPT), enter_key),
  ),
  at(
    'verificar-error',
    `${CLARA}&fail=verify:SLOW_DOWN#/verificar`,
    then(fill('verify-code', RECEIPT), enter_key, see('retry')),
  ),

  screen('auditoria', 'auditoria', see('chain')),
  screen(
    'auditoria-consultas',
    'auditoria',
    then(fill('audit-number', '1.045.678.901'), enter_key, see('lookup')),
  ),
  screen('auditoria-nadie', 'auditoria', then(fill('audit-number', '99999999'), enter_key, see('empty'))),
  screen('auditoria-error', 'auditoria', then(fill('audit-number', '1O45'), enter_key, see('error'))),
  screen(
    'auditoria-exportar',
    'auditoria',
    then(fill('audit-number', '1045678901'), enter_key, click('export'), see('confirm')),
  ),
  screen('auditoria-cadena', 'auditoria', then(click('verify'), see('chain-good'))),
  at('auditoria-cadena-rota', `${CLARA}&tampered#/auditoria`, then(click('verify'), see('findings'))),

  screen('llaves', 'llaves', see('key')),
  screen('llaves-rotar', 'llaves', then(click('rotate'), see('confirm'))),
];
