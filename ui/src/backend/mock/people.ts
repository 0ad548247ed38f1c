/** Invented people, businesses and sedes. Any likeness is chance. */
import type { Affiliate } from '../../bindings/Affiliate';
import type { AffiliateStatus } from '../../bindings/AffiliateStatus';
import type { Application } from '../../bindings/Application';
import type { Branch } from '../../bindings/Branch';
import type { Company } from '../../bindings/Company';
import type { Entity } from '../../bindings/Entity';
import type { Fixer } from '../../bindings/Fixer';
import type { Operator } from '../../bindings/Operator';
import type { Reason } from '../../bindings/Reason';
import type { Role } from '../../bindings/Role';
import type { Tariff } from '../../bindings/Tariff';

export interface Person {
  affiliate: Affiliate;
  reasons: Reason[];
  /** Minutes ago that a use was reported today, and where. */
  used?: { minutes: number; branch: string };
}

export interface Account {
  operator: Operator;
  entity: Entity;
  branches: Branch[];
  applications: Application[];
  /** An operator, unless it is said. */
  roles?: Role[];
}

export const PASSWORD = 'convenios';

const id = (number: number) => `01970000-0000-7000-8000-${String(number).padStart(12, '0')}`;

const branch = (number: number, code: string, name: string, city: string): Branch => ({
  id: id(number),
  code,
  name,
  city,
});

const gym: Entity = { id: id(1), nit: '900123456-8', name: 'GYM CARIBE' };
const clinic: Entity = {
  id: id(2),
  nit: '802009876-1',
  name: 'CENTRO MÉDICO ODONTOLÓGICO Y DE REHABILITACIÓN INTEGRAL DEL ATLÁNTICO S.A.S.',
};

const gym_branches = [
  branch(11, 'GYM-01', 'Sede Norte', 'Barranquilla'),
  branch(12, 'GYM-02', 'Sede Centro', 'Barranquilla'),
  branch(13, 'GYM-03', 'Sede Soledad', 'Soledad'),
  branch(14, 'GYM-04', 'Sede Bahía de Santa Marta – Centro Comercial El Rodadero', 'Santa Marta'),
];

const convenios: Application = {
  code: 'CONVENIOS',
  name: 'CONVENIOS',
  description: 'Acceda aquí a la plataforma de convenios, donde podrá consultar a nuestros trabajadores.',
  state: 'APPROVED',
  reason: null,
};

const elsewhere: Application[] = [
  {
    code: 'AFILIACIONES',
    name: 'AFILIACIONES EN LÍNEA',
    description: 'Afilie a su empresa y a sus trabajadores a la caja.',
    state: 'APPROVED',
    reason: null,
  },
  {
    code: 'SUBSIDIOS',
    name: 'SUBSIDIOS',
    description: 'Consulte la cuota monetaria de sus trabajadores.',
    state: 'NOT_REQUESTED',
    reason: null,
  },
];

function account(
  username: string,
  display_name: string,
  number: number,
  rest: Partial<Account> = {},
): Account {
  return {
    operator: { id: id(number), username, display_name },
    entity: gym,
    branches: gym_branches,
    applications: [...elsewhere, convenios],
    ...rest,
  };
}

const ADMINISTRATOR: Role[] = ['OPERATOR', 'ENTITY_ADMIN'];

export const ACCOUNTS: Account[] = [
  account('ana', 'Ana Rodríguez', 101),
  account('luis', 'Luis Fernando Santodomingo de la Espriella', 102, {
    entity: clinic,
    branches: [branch(21, 'CMO-01', 'Sede única', 'Barranquilla')],
  }),
  account('marta', 'Marta Ospino', 103, { branches: [] }),
  account('pedro', 'Pedro Noriega', 104, {
    applications: [...elsewhere, { ...convenios, state: 'IN_REVIEW' }],
    branches: [],
    roles: ADMINISTRATOR,
  }),
  account('sofia', 'Sofía Vengoechea', 105, {
    applications: [
      { ...convenios, state: 'REJECTED', reason: 'El certificado de existencia adjunto está vencido.' },
      ...elsewhere,
    ],
    branches: [],
    roles: ADMINISTRATOR,
  }),
  // A new entity: nothing was asked for.
  account('nadia@gym-nuevo.co', 'Nadia Núñez', 106, {
    entity: { id: id(3), nit: '899999068-1', name: 'GYM NUEVO' },
    applications: [{ ...convenios, state: 'NOT_REQUESTED' }, ...elsewhere],
    branches: [],
    roles: ADMINISTRATOR,
  }),
  account('carmen', 'Carmen Orozco', 107, { roles: ADMINISTRATOR }),
];

const north: Company = { name: 'TRANSPORTES DEL NORTE S.A.S.', status: 'ACTIVA' };
const arrears: Company = { name: 'CONSTRUCCIONES Y ACABADOS DEL CARIBE LTDA.', status: 'SUSPENDIDA' };
const gone: Company = { name: 'TEXTILES LA ARENOSA S.A.', status: 'RETIRADA' };

/** `PÉREZ GÓMEZ, JUAN CARLOS` as the caja has it; `-` for a name the person does not have. */
function person(
  names: string,
  tariff: Tariff,
  company: Company | null,
  reasons: Reason[] = [],
  rest: Partial<Affiliate> = {},
): Person {
  const [surnames = '', given = ''] = names.split(', ');
  const [first_surname = '', second_surname = null] = surnames.split('|');
  const [first_name = '', second_name = null] = given.split('|');
  const status: AffiliateStatus = 'ACTIVO';
  return {
    affiliate: {
      role: 'TRABAJADOR',
      first_surname,
      second_surname,
      first_name,
      second_name,
      status,
      tariff,
      company,
      ...rest,
    },
    reasons,
  };
}

/** By document number. Numbers that are not here are registered nowhere. */
export const PEOPLE = new Map<string, Person>([
  ['1045678901', person('PÉREZ|GÓMEZ, JUAN|CARLOS', 'B', north)],
  ['1045678902', person('NÚÑEZ|DE LA HOZ, MARÍA|JOSÉ', 'A', north)],
  ['72345678', person('ÁLVAREZ, ÓSCAR', 'C', null)],
  [
    '1143000111',
    person('SANTODOMINGO|VENGOECHEA DE LA ESPRIELLA, MARÍA DE LOS ÁNGELES|GUADALUPE DEL CARMEN', 'A', {
      name: 'SOCIEDAD PORTUARIA, LOGÍSTICA Y DE SERVICIOS INTEGRALES DEL RÍO MAGDALENA Y EL CARIBE COLOMBIANO S.A. E.S.P.',
      status: 'ACTIVA',
    }),
  ],
  ['1002003004', person('RÍOS|CANTILLO, SAMUEL|DAVID', 'A', north, [], { role: 'BENEFICIARIO' })],
  ['22543312', person('MERCADO|OROZCO, LUZ|MARINA', 'A', arrears, ['COMPANY_SUSPENDED'])],
  ['8765432', person('BARRIOS|POLO, EDUARDO', 'B', north, ['AFFILIATE_INACTIVE'], { status: 'INACTIVO' })],
  [
    '32654987',
    person(
      'CASTRO|MEZA, NURYS|ESTHER',
      'A',
      gone,
      ['AFFILIATE_RETIRED', 'COMPANY_RETIRED', 'BENEFIT_NOT_COVERED'],
      {
        status: 'RETIRADO',
      },
    ),
  ],
  ['55667788', person('CARO|IGLESIAS, JAIRO|ENRIQUE', 'C', north, ['DAILY_LIMIT_REACHED'])],
  [
    '1234567890',
    { ...person('TORRES|ACOSTA, VALENTINA', 'B', north), used: { minutes: 95, branch: 'Sede Norte' } },
  ],
]);

export const FIXERS: Record<Reason, Fixer> = {
  NOT_AFFILIATED: 'PERSONA',
  AFFILIATE_INACTIVE: 'PERSONA',
  AFFILIATE_RETIRED: 'PERSONA',
  DAILY_LIMIT_REACHED: 'PERSONA',
  COMPANY_SUSPENDED: 'EMPRESA',
  COMPANY_RETIRED: 'EMPRESA',
  DOCUMENT_KIND_MISMATCH: 'ENTIDAD',
  AGREEMENT_EXPIRED: 'ENTIDAD',
  AGREEMENT_NOT_STARTED: 'ENTIDAD',
  AFFILIATE_SUSPENDED: 'CAJA',
  BENEFIT_NOT_COVERED: 'CAJA',
  MULTIPLE_MATCHES: 'CAJA',
};
