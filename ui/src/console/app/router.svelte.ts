import { type ConsoleScreen, formatRoute, parseRoute, type Route } from './route';

const HOME: Route = { screen: 'inicio', id: null, filters: {} };

/** The address of the page as state. */
export class Router {
  #hash = $state(location.hash);
  readonly route: Route = $derived(parseRoute(this.#hash) ?? HOME);

  go(screen: ConsoleScreen, id: string | null = null, filters: Record<string, string> = {}): void {
    location.hash = formatRoute(screen, id, filters);
    this.#hash = location.hash;
  }

  /** Filters of the same list. Typing is no step to go back to: the first letter is, and the choices are. */
  filter(filters: Record<string, string>, { step }: { step: boolean }): void {
    const { screen, id } = this.route;
    const hash = formatRoute(screen, id, filters);
    if (step) location.hash = hash;
    else history.replaceState(null, '', hash);
    this.#hash = hash;
  }

  /** Follows the address (links, and "back") until stopped. */
  start(): () => void {
    const follow = () => (this.#hash = location.hash);
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }
}
