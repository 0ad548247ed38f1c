/** Something that is done once, however often its button is pressed, and says why it was not. */
import { type ApiFailure, failureOf } from '../api/failure';

export class Act {
  busy = $state(false);
  error = $state.raw<ApiFailure | null>(null);

  /** Whether it was done. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = null;
    try {
      await work();
      return true;
    } catch (thrown) {
      this.error = failureOf(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
