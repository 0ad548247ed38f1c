/** The invented caja: its entities, people, PCs and imports. */
import type {
  AdminAgreement,
  AdminBranch,
  AdminDevice,
  AdminEntity,
  AdminKey,
  AdminRegistration,
  AdminUser,
  AgreementTerms,
  ApplicationRequest,
  ApplicationState,
  Consulted,
  Entity,
  EntityUsage,
  ImportJob,
  Me,
} from '../wire';

const HOUR_MS = 3_600_000;
const DAY_H = 24;

/** So many hours before now. */
export const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString();

const id = (group: number, number: number) =>
  `018f3a2b-${String(group).padStart(4, '0')}-7000-8000-${String(number).padStart(12, '0')}`;

/** The `number`th of a few, from the beginning again after the last. */
const of = <Thing>(things: readonly Thing[], number: number) => things[number % things.length] as Thing;
const many = <Thing>(count: number, make: (number: number) => Thing) =>
  Array.from({ length: count }, (_, n) => make(n));

const CITIES = ['Barranquilla', 'Soledad', 'Malambo', 'Puerto Colombia', 'Sabanalarga', 'Galapa'];
const BRANCHES = ['Sede Norte', 'Sede Centro', 'Sede Buenavista'];
const NAMES = [
  ['GYM CARIBE', '900123456-8', 'GYM'],
  ['CLÍNICA DEL NORTE S.A.S.', '901234567-7', 'CLIN'],
  ['ÓPTICA LUZ', '800197268-4', 'OPT'],
  ['CENTRO RECREACIONAL Y DEPORTIVO LOS ALMENDROS DEL ATLÁNTICO LTDA.', '830512345-1', 'ALM'],
  ['TEATRO AMIRA', '890102345-6', 'AMI'],
  ['FISIOTERAPIA INTEGRAL', '900777888-2', 'FISIO'],
  ['PISCINAS DEL RÍO', '901555444-3', 'RIO'],
  ['LABORATORIO SANTA MARÍA', '802003456-9', 'LAB'],
  ['ODONTOLOGÍA SONREÍR', '900333222-1', 'ODO'],
  ['CLUB DE LECTURA EL PRADO', '901999111-5', 'CLP'],
] as const;
const PEOPLE = [
  'Ana Rodríguez',
  'Luis Fernando Barrios',
  'Marta Cañas',
  'Pedro De la Hoz',
  'Sofía Núñez Altamar',
  'Carlos Andrés Villanueva Montenegro',
  'Nadia Peña',
  'Óscar Jiménez',
];
const STATES: ApplicationState[] = [
  'APPROVED',
  'APPROVED',
  'APPROVED',
  'IN_REVIEW',
  'SUBMITTED',
  'REJECTED',
  'NOT_REQUESTED',
];

const CLARA = 'Clara Coordinadora';
const email = (number: number) => {
  const plain = of(PEOPLE, number).normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return `${plain.split(' ').slice(0, 2).join('.')}@entidad-${number % NAMES.length}.co`;
};

export const ME: Me = {
  operator: { id: id(7, 999), username: 'clara@caja.example', display_name: CLARA },
  entity: null,
  roles: ['CAJA_ADMIN'],
  branches: [],
  applications: [],
  policy: {} as Me['policy'],
  second_factor: 'SET_UP',
};

const TERMS: AgreementTerms = {
  name: 'Gimnasio con tarifa preferencial',
  first_day: '2026-01-01',
  last_day: '2026-12-31',
  tariffs: ['A', 'B', 'C'],
  roles: ['BENEFICIARIO', 'TRABAJADOR'],
  daily_limit: 1,
  over_limit: 'NOTE',
  validity_h: 24,
  void_window_min: 1440,
  offline_days_max: 7,
  retention_days: 30,
};

export const ENTITIES: AdminEntity[] = NAMES.map(([name, nit], number) => {
  const application = of(STATES, number);
  const approved = application === 'APPROVED';
  const branches = approved ? 3 - (number % 3) : 0;
  return {
    id: id(1, number),
    nit,
    name,
    application,
    branches,
    agreements_in_force: Number(approved),
    users: 2 + number,
  };
});

export const branchesOf = (number: number): AdminBranch[] =>
  many(ENTITIES[number]?.branches ?? 0, (place) => ({
    id: id(2, number * 10 + place),
    code: `${of(NAMES, number)[2]}-0${place + 1}`,
    name: of(BRANCHES, place),
    city: of(CITIES, place),
    closed_at: place === 2 ? hoursAgo(900) : null,
  }));

export function agreementsOf(number: number, branches: AdminBranch[]): AdminAgreement[] {
  if (branches.length === 0) return [];
  const ids = branches.map((branch) => branch.id);
  const before = { name: 'Convenio del año anterior', first_day: '2025-01-01', last_day: '2025-12-31' };
  return [
    { id: id(3, number * 10), terms: TERMS, branches: ids },
    { id: id(3, number * 10 + 1), terms: { ...TERMS, ...before }, branches: ids.slice(0, 1) },
  ];
}

function entityOf(number: number): Entity {
  const { id: entity_id, nit, name } = of(ENTITIES, number);
  return { id: entity_id, nit, name };
}

export const registrations = (): AdminRegistration[] =>
  many(14, (number) => ({
    id: id(4, number),
    nit: number === 1 ? '901888777-4' : entityOf(number).nit,
    entity_name: number === 1 ? 'YOGA AL AMANECER' : entityOf(number).name,
    entity_known: number !== 1,
    display_name: of(PEOPLE, number + 4),
    email: email(number + 4),
    phone: `300${1234567 + number}`,
    made_at: hoursAgo(2 + number * 9),
    state: number < 4 ? 'PENDING' : number === 4 ? 'REJECTED' : 'APPROVED',
    reason: number === 4 ? 'El NIT no corresponde a una entidad en convenio.' : null,
  }));

export const requests = (): ApplicationRequest[] =>
  (['SUBMITTED', 'IN_REVIEW', 'APPROVED', 'REJECTED', 'APPROVED'] as const).map((state, number) => {
    const corrected = number === 1;
    const event = (
      hours: number,
      now: ApplicationState,
      revision: number,
      by: string,
      reason: string | null = null,
    ) => ({
      at: hoursAgo(hours),
      state: now,
      revision,
      reason,
      by,
    });
    const who = of(PEOPLE, number);
    return {
      id: id(5, number),
      application: 'CONVENIOS',
      entity: entityOf(number + 3),
      state,
      revision: corrected ? 2 : 1,
      content: {
        contact_name: who,
        contact_email: email(number),
        contact_phone: '3001234567',
        benefit:
          number === 0
            ? '25 % de descuento en la mensualidad, y una valoración física gratuita al comenzar, para el trabajador y su familia.'
            : '20 % de descuento',
        branches: many(1 + (number % 3), (place) => ({
          name: of(BRANCHES, place),
          city: of(CITIES, place),
          address: `Carrera ${53 + place} # 76-${100 + number}`,
        })),
        attachment_id: id(6, number),
      },
      attachment: {
        id: id(6, number),
        file_name: corrected ? 'cámara de comercio.png' : 'camara-de-comercio-2026.pdf',
        media_type: corrected ? 'image/png' : 'application/pdf',
        size_bytes: 482_113,
        sha256: 'a'.repeat(64),
      },
      history: [
        event(70 + number * DAY_H, 'SUBMITTED', 1, who),
        ...(corrected
          ? [
              event(50, 'REJECTED', 1, CLARA, 'La cámara de comercio está vencida: envíe una de este año.'),
              event(30, 'SUBMITTED', 2, who),
            ]
          : []),
        ...(state === 'SUBMITTED'
          ? []
          : [
              event(
                5,
                state,
                corrected ? 2 : 1,
                CLARA,
                state === 'REJECTED' ? 'La sede no queda en el departamento del Atlántico.' : null,
              ),
            ]),
      ],
    };
  });

export const users = (): AdminUser[] => [
  {
    ...ME.operator,
    entity: null,
    state: 'ACTIVE',
    roles: ['CAJA_ADMIN'],
    branches: [],
    second_factor: 'SET_UP',
    last_sign_in_at: hoursAgo(0.1),
  },
  {
    id: id(7, 900),
    username: 'ivan@caja.example',
    display_name: 'Iván Invitado',
    entity: null,
    state: 'INVITED',
    roles: ['CAJA_ADMIN'],
    branches: [],
    second_factor: 'TO_SET_UP',
    last_sign_in_at: null,
  },
  ...many(76, (number): AdminUser => {
    const state =
      ({ 3: 'SUSPENDED', 5: 'INVITED', 7: 'PENDING', 9: 'SUSPENDED_BY_CAJA' } as const)[number % 11] ??
      'ACTIVE';
    return {
      id: id(7, number),
      username: email(number),
      display_name: of(PEOPLE, number),
      entity: entityOf(number % 3),
      state,
      roles: number % 5 === 0 ? ['OPERATOR', 'ENTITY_ADMIN'] : ['OPERATOR'],
      branches: branchesOf(number % 3)
        .slice(0, number % 4)
        .map(({ id: branch_id, code, name, city }) => ({ id: branch_id, code, name, city })),
      second_factor: 'NOT_NEEDED',
      last_sign_in_at: state === 'INVITED' || state === 'PENDING' ? null : hoursAgo(number * 3),
    };
  }),
];

export const devices = (): AdminDevice[] =>
  many(24, (number) => ({
    id: id(8, number),
    name: of(
      ['Consola web', 'RECEPCION-1', 'RECEPCION-2', 'CAJA-PISO-1-EDIFICIO-ADMINISTRATIVO-PRINCIPAL'],
      number,
    ),
    entity: number === 0 ? null : entityOf(number % 4),
    last_operator: of(PEOPLE, number),
    first_seen_at: hoursAgo(4000 + number * 100),
    last_contact_at: hoursAgo(number < 18 ? number * 0.7 : DAY_H * (number - 8)),
    last_sequence: number === 0 ? 0 : 5200 - number * 37,
    waiting: number === 0 ? null : (({ 3: 184, 20: 12 } as const)[number] ?? 0),
    revoked_at: number === 5 ? hoursAgo(60) : null,
  }));

export const imports = (): ImportJob[] =>
  (['DONE', 'REFUSED', 'DONE', 'CANCELLED', 'FAILED'] as const).map((state, number) => ({
    id: id(9, number),
    state,
    mode: number === 2 ? 'replace' : 'upsert',
    dry_run: number === 2,
    file_name: number === 1 ? 'afiliados-noviembre-con-errores.csv' : `afiliados-2026-${11 - number}.csv`,
    bytes: 94_371_840,
    bytes_read: 94_371_840,
    lines: 1_000_001,
    rejected: state === 'REFUSED' ? 3 : 0,
    reason: null,
    counts: state === 'DONE' ? { added: 1200, updated: 998_800, removed: number === 2 ? 340 : 0 } : null,
    began_at: hoursAgo(30 + number * 200),
    ended_at: hoursAgo(29.9 + number * 200),
    by: CLARA,
  }));

export const REJECTED = [
  'linea;columna;motivo',
  '17;tarifa;La tarifa es A, B, C o D, y dice «X».',
  '2048;documento;El número tiene 14 dígitos: son demasiados para una cédula de ciudadanía.',
  '71002;"primer_apellido";"Falta el primer apellido; la línea dice ""SIN DATO""."',
].join('\r\n');

export const usage = (): EntityUsage[] =>
  ENTITIES.map((_, number) => {
    const branches = branchesOf(number).map(({ id: branch_id, code, name, city }, place) => {
      const lookups = 412 * (number + 1) - place * 31;
      return {
        branch: { id: branch_id, code, name, city },
        counts: {
          lookups,
          uses: Math.floor(lookups * 0.9),
          voided: lookups % 7,
          people: Math.floor(lookups * 0.6),
        },
      };
    });
    const sum = (name: 'lookups' | 'uses' | 'voided') =>
      branches.reduce((total, { counts }) => total + counts[name], 0);
    const uses = sum('uses');
    return {
      entity: entityOf(number),
      total: { lookups: sum('lookups'), uses, voided: sum('voided'), people: Math.floor(uses * 0.6) },
      branches,
    };
  });

export const consulted = (): Consulted[] =>
  many(64, (number) => {
    const from_copy = number % 7 === 3;
    const refused = number % 6 === 4 && !from_copy;
    return {
      lookup_id: id(10, number),
      answer_id: id(11, number),
      answered_at: hoursAgo(3 + number * 31),
      entity_name: entityOf(number % 3).name,
      branch_name: of(BRANCHES, number % 2),
      device_name: `RECEPCION-${1 + (number % 4)}`,
      operator_name: of(PEOPLE, number),
      purpose: 'validar beneficio del convenio',
      regular: number % 5 === 2,
      from_copy,
      verdict: from_copy ? 'ACTIVE_FROM_COPY' : refused ? 'NOT_ACTIVE' : 'ACTIVE',
      reasons: refused ? ['COMPANY_SUSPENDED'] : [],
    };
  });

export const keys = (): AdminKey[] => [
  { kid: 'k-2026-11', not_before: hoursAgo(20 * DAY_H), not_after: hoursAgo(-22 * DAY_H), signs: true },
  { kid: 'k-2026-08', not_before: hoursAgo(110 * DAY_H), not_after: hoursAgo(18 * DAY_H), signs: false },
  { kid: 'k-2026-05', not_before: hoursAgo(200 * DAY_H), not_after: hoursAgo(108 * DAY_H), signs: false },
];
