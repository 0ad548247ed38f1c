/** Where the window is: a screen and its filters, kept in the address so that "back" works. */
import type { Application } from './bindings/Application';
import type { Session } from './bindings/Session';

/** The application this program opens. */
export const CONVENIOS = 'CONVENIOS';

const SCREENS = [
  'ingreso',
  'crear-usuario',
  'olvide-contrasena',
  'cambiar-contrasena',
  'aplicaciones',
  'solicitud',
  'usuarios',
  'sede',
  'consulta',
  'por-enviar',
  'reporte',
] as const;

export type Screen = (typeof SCREENS)[number];

export interface Route {
  screen: Screen;
  /** The screen's own filters. */
  filters: Record<string, string>;
}

export function parseRoute(hash: string): Route | null {
  const [name = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const screen = SCREENS.find((known) => known === name);
  return screen ? { screen, filters: Object.fromEntries(new URLSearchParams(query)) } : null;
}

export function formatRoute({ screen, filters }: Route): string {
  const query = new URLSearchParams(filters).toString();
  return query ? `#/${screen}?${query}` : `#/${screen}`;
}

/** The tile this program opens, when the entity has it approved. */
export function approvedConvenios(session: Session): Application | undefined {
  return session.applications.find(({ code, state }) => code === CONVENIOS && state === 'APPROVED');
}

/** Whoever asks for applications, and says who works for the entity. */
export function isAdministrator(session: Session): boolean {
  return session.entity !== null && session.roles.includes('ENTITY_ADMIN');
}

/** What whoever is not signed in may come to. */
const SIGNED_OUT: readonly Screen[] = ['ingreso', 'crear-usuario', 'olvide-contrasena'];

/** What stands open to whoever is signed in, whatever is approved: what is recorded can always be seen. */
const ALWAYS: readonly Screen[] = ['por-enviar', 'aplicaciones', 'cambiar-contrasena'];

/** What only an administrator of the entity comes to. */
const ADMINISTRATION: readonly Screen[] = ['solicitud', 'usuarios'];

/**
 * The screen that may be shown for the one asked for. Signed out, only Ingreso and what helps to get in; without the
 * application approved, only Aplicaciones and what is always open; without a branch, Sede first.
 */
export function allowedScreen(wanted: Screen | null, session: Session | null): Screen {
  if (!session) return wanted && SIGNED_OUT.includes(wanted) ? wanted : 'ingreso';
  // Just signed in: first the applications, as on the platform.
  if (wanted && SIGNED_OUT.includes(wanted)) return 'aplicaciones';
  if (wanted && ALWAYS.includes(wanted)) return wanted;
  if (wanted && ADMINISTRATION.includes(wanted)) return isAdministrator(session) ? wanted : 'aplicaciones';
  if (!approvedConvenios(session)) return 'aplicaciones';
  if (wanted === 'sede') return wanted;
  // Nothing asked for: the program was opened, and the session is still there.
  if (!session.branch) return wanted === null ? 'aplicaciones' : 'sede';
  return wanted ?? 'consulta';
}
