/**
 * An import as it goes: the file is sent, the server reads it, and it is in, refused or cancelled. It goes on while one looks
 * at other screens; and one that was begun elsewhere, or before the page was loaded again, is followed too.
 *
 * `sending` → `following` → `ended`; cancelled while it is sent, it is as if it had never been. Whoever signs out while it
 * is sent cancels it; what the server has goes on there.
 */
import { ApiFailure, failureOf } from '../../api/failure';
import { isGivenUp, type Sent } from '../../api/http';
import { newId } from '../../api/tokens';
import type { ImportJob, ImportMode } from '../../api/wire';
import type { Caja } from '../../app/caja.svelte';

/** How often a running import is asked about. */
const ASKED_EVERY_MS = 1000;

export class Importing {
  at = $state<'idle' | 'sending' | 'following' | 'ended'>('idle');
  job = $state.raw<ImportJob | null>(null);
  sent = $state.raw<Sent | null>(null);
  error = $state.raw<ApiFailure | null>(null);
  cancelling = $state(false);
  /** The file of the last import, so that after a trial it can be imported without being chosen again. */
  file = $state.raw<File | null>(null);
  /** The import that `file` was sent for. */
  #own: string | null = null;
  #giving_up: AbortController | null = null;
  #follows = 0;

  constructor(private readonly caja: Caja) {}

  get busy(): boolean {
    return this.at === 'sending' || this.at === 'following';
  }

  async begin(file: File, mode: ImportMode, dry_run: boolean): Promise<void> {
    if (this.busy) return;
    this.at = 'sending';
    this.file = file;
    this.job = null;
    this.error = null;
    this.sent = { sent_bytes: 0, total_bytes: file.size };
    this.#giving_up = new AbortController();
    try {
      await readable(file);
      const what = { id: newId(), mode, dry_run, file };
      this.#own = what.id;
      const job = await this.caja.api.begin_import(
        what,
        AbortSignal.any([this.#giving_up.signal, this.caja.left]),
        (sent) => (this.sent = sent),
      );
      await this.follow(job);
    } catch (thrown) {
      this.at = 'idle';
      if (!isGivenUp(thrown)) this.error = failureOf(thrown);
      if (this.error?.code === 'FILE_UNREADABLE') this.file = null;
    }
  }

  /** Asks about `job` until it has ended. A line that fails meanwhile is no end of the import. */
  async follow(job: ImportJob): Promise<void> {
    // What somebody else imports is not in our file.
    if (job.id !== this.#own) this.file = null;
    this.#follows += 1;
    const number = this.#follows;
    this.job = job;
    this.at = 'following';
    while (!isOver(job)) {
      await new Promise((resolve) => setTimeout(resolve, ASKED_EVERY_MS));
      if (number !== this.#follows || this.caja.left.aborted) return;
      try {
        job = await this.caja.api.import(job.id);
        this.error = null;
      } catch (thrown) {
        this.error = failureOf(thrown);
        if (this.error.code === 'NOT_FOUND' || this.error.code === 'FORBIDDEN') {
          this.at = 'idle';
          return;
        }
      }
      this.job = job;
    }
    this.cancelling = false;
    this.at = 'ended';
  }

  /** While it is sent: stops sending. Afterwards: asks the server to stop. Either way nothing was changed. */
  async cancel(): Promise<void> {
    if (this.at === 'sending') {
      this.#giving_up?.abort();
      return;
    }
    if (this.at !== 'following' || !this.job || this.cancelling) return;
    this.cancelling = true;
    try {
      await this.caja.api.cancel_import(this.job.id);
    } catch (thrown) {
      this.cancelling = false;
      this.error = failureOf(thrown);
    }
  }

  /** What came of it was read. */
  dismiss(): void {
    if (this.busy) return;
    this.at = 'idle';
    this.job = null;
    this.error = null;
  }
}

/** A file that was changed since it was chosen is not read any more, and says so only by failing. */
async function readable(file: File): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new ApiFailure('FILE_UNREADABLE');
  }
}

export function isOver({ state }: ImportJob): boolean {
  return state !== 'RECEIVING' && state !== 'RUNNING';
}

/** How far a running import is, from 0 to 1; none when the file is all read and is being written. */
export function partDone({ bytes, bytes_read }: ImportJob): number | null {
  return bytes > 0 && bytes_read < bytes ? bytes_read / bytes : null;
}
