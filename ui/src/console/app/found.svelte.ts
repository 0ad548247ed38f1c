/** One thing that is asked for: what was found, or why not; the last question counts. */
import { type ApiFailure, failureOf } from '../api/failure';

export class Found<Thing> {
  thing = $state.raw<Thing | null>(null);
  error = $state.raw<ApiFailure | null>(null);
  loading = $state(false);
  #questions = 0;

  async ask(question: () => Promise<Thing>): Promise<void> {
    this.#questions += 1;
    const number = this.#questions;
    this.loading = true;
    this.error = null;
    try {
      const thing = await question();
      if (number === this.#questions) this.thing = thing;
    } catch (thrown) {
      if (number === this.#questions) this.error = failureOf(thrown);
    } finally {
      if (number === this.#questions) this.loading = false;
    }
  }

  forget(): void {
    this.#questions += 1;
    this.thing = null;
    this.error = null;
    this.loading = false;
  }
}
