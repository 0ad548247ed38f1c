/** A desk that nobody touches: whoever passes by must not go on as its operator. */
import type { Stop } from '../backend/backend';

/** How long nobody may touch it. */
export const IDLE_MS = 10 * 60_000;

const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;

/** Calls `left` each time nobody touched the window for {@link IDLE_MS}, until stopped. */
export function whenLeftAlone(left: () => void): Stop {
  let timer = setTimeout(leave, IDLE_MS);
  function leave(): void {
    timer = setTimeout(leave, IDLE_MS);
    left();
  }
  function touched(): void {
    clearTimeout(timer);
    timer = setTimeout(leave, IDLE_MS);
  }
  for (const touch of TOUCHES) window.addEventListener(touch, touched, { passive: true, capture: true });
  return () => {
    clearTimeout(timer);
    for (const touch of TOUCHES) window.removeEventListener(touch, touched, { capture: true });
  };
}
