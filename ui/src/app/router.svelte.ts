import { formatRoute, parseRoute, type Route, type Screen } from '../route';

/** The address of the window as state. */
export class Router {
  #route = $state.raw<Route | null>(parseRoute(location.hash));

  /** What the address asks for; `null` when it names no screen. */
  get wanted(): Route | null {
    return this.#route;
  }

  go(screen: Screen, filters: Record<string, string> = {}): void {
    location.hash = formatRoute({ screen, filters });
    this.#follow();
  }

  /** Changes the address without a step to go back to: a correction of what was asked. */
  replace(screen: Screen): void {
    history.replaceState(null, '', formatRoute({ screen, filters: {} }));
    this.#follow();
  }

  /** Follows the address (links, and "back") until stopped. */
  start(): () => void {
    const follow = () => this.#follow();
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }

  /** The same address twice is no change: nothing is asked of the desk again. */
  #follow(): void {
    const route = parseRoute(location.hash);
    if (route && this.#route && formatRoute(route) === formatRoute(this.#route)) return;
    this.#route = route;
  }
}
