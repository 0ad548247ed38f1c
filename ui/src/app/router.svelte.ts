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
  }

  /** Changes the address without a step to go back to: for corrections, and for filters as they change. */
  replace(screen: Screen, filters: Record<string, string> = {}): void {
    const route = { screen, filters };
    history.replaceState(null, '', formatRoute(route));
    this.#route = route;
  }

  /** Follows the address until stopped. */
  start(): () => void {
    const follow = () => (this.#route = parseRoute(location.hash));
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }
}
