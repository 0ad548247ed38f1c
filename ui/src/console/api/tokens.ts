/**
 * The tokens of this tab. In memory and in the tab's own storage, so that reloading the page does not sign out; never in
 * a cookie (nothing another page could make the browser send), never in a storage that outlives the tab.
 */
import type { Granted } from './wire';

const STORED_UNDER = 'hanna.console.session';
const DEVICE_UNDER = 'hanna.console.device';

export interface Kept extends Granted {
  username: string;
}

export class Tokens {
  #kept: Kept | null = read();

  get kept(): Kept | null {
    return this.#kept;
  }

  keep(kept: Kept): void {
    this.#kept = kept;
    sessionStorage.setItem(STORED_UNDER, JSON.stringify(kept));
  }

  forget(): void {
    this.#kept = null;
    sessionStorage.removeItem(STORED_UNDER);
  }
}

/** Which browser this is: sessions are bound to it, and the list of devices shows it. */
export function thisBrowser(): { id: string; name: string } {
  let id = localStorage.getItem(DEVICE_UNDER);
  if (!id) {
    id = newId();
    localStorage.setItem(DEVICE_UNDER, id);
  }
  return { id, name: 'Consola web' };
}

/** An id as the contract wants them: UUIDv7, so that what is made later sorts later. */
export function newId(now_ms: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let index = 0; index < 6; index += 1) bytes[index] = Math.floor(now_ms / 2 ** (8 * (5 - index))) % 256;
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function read(): Kept | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(STORED_UNDER) ?? 'null');
    return typeof kept === 'object' && kept !== null && 'refresh_token' in kept ? (kept as Kept) : null;
  } catch {
    return null;
  }
}
