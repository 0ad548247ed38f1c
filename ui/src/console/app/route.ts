/** Where the console is: a screen, the thing it shows, and the filters, kept in the address so that "back" works. */

/** In the order of the navigation. */
export const SCREENS = [
  'inicio',
  'registros',
  'solicitudes',
  'entidades',
  'usuarios',
  'equipos',
  'afiliados',
  'uso',
  'verificar',
  'auditoria',
  'llaves',
] as const;

export type ConsoleScreen = (typeof SCREENS)[number];

export interface Route {
  screen: ConsoleScreen;
  /** The one thing that is shown; none: the list. */
  id: string | null;
  filters: Record<string, string>;
}

/** The place an address names; `null` when it names none. */
export function parseRoute(hash: string): Route | null {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [name, id, ...rest] = path.split('/');
  const screen = SCREENS.find((known) => known === name);
  if (!screen || rest.length > 0) return null;
  return { screen, id: id || null, filters: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a place. Filters that are not set are left out. */
export function formatRoute(
  screen: ConsoleScreen,
  id: string | null = null,
  filters: Record<string, string> = {},
): string {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== '')).toString();
  return `#/${screen}${id ? `/${id}` : ''}${query ? `?${query}` : ''}`;
}
