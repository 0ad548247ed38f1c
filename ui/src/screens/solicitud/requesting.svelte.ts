/**
 * *Solicitar CONVENIOS*, step by step. What is typed is kept by the desk between the steps and when the screen is left:
 * nothing is lost without a connection, nor by a restart.
 */
import type { Desk } from '../../app/desk.svelte';
import type { CommandError, Stop } from '../../backend/backend';
import type { ApplicationForm } from '../../bindings/ApplicationForm';
import type { ChosenFile } from '../../bindings/ChosenFile';
import type { Correction } from '../../bindings/Correction';
import type { UploadProgress } from '../../bindings/UploadProgress';
import { commandError, sentence } from '../../errors';
import { t } from '../../i18n/i18n';
import {
  EMPTY_BRANCH,
  fileProblem,
  firstOpen,
  missing,
  type Problem,
  refused,
  type Step,
  stepOf,
  STEPS,
} from './solicitud';

/** How long after the last key what is typed is kept. */
const KEPT_AFTER_MS = 500;

export class Requesting {
  readonly #desk: Desk;
  /** `opening` until the desk said what there is to go on with. */
  phase = $state<'opening' | 'open' | 'failed'>('opening');
  open_error = $state.raw<CommandError | null>(null);
  step = $state<Step>('contact');
  form = $state<ApplicationForm>({
    contact_name: '',
    contact_email: '',
    contact_phone: '',
    benefit: '',
    branches: [],
  });
  file = $state.raw<ChosenFile | null>(null);
  /** What the rejected request said, when this puts it right. */
  corrects = $state.raw<Correction | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** What is typed could not be kept on this PC. */
  keep_error = $state<string | null>(null);
  working = $state(false);
  /** The file is being read. */
  reading = $state(false);
  upload = $state.raw<UploadProgress | null>(null);
  /** The step is looked at again from the review, and leads back to it. */
  #reviewed = false;
  /** Saving goes one after the other: what was typed last is what stays. */
  #kept: Promise<void> = Promise.resolve();
  #typed: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Opens what there is; until it is stopped, it follows the upload. What is typed is kept when it is stopped. */
  start(): Stop {
    void this.open();
    const stop = this.#desk.backend.on_upload((progress) => {
      if (this.working) this.upload = progress;
    });
    return () => {
      stop();
      clearTimeout(this.#typed);
      if (this.phase === 'open' && this.step !== 'done') void this.keep();
    };
  }

  async open(): Promise<void> {
    this.phase = 'opening';
    try {
      const { form, file, corrects } = await this.#desk.backend.begin_application();
      const branches = form.branches.length > 0 ? form.branches : [{ ...EMPTY_BRANCH }];
      this.form = { ...form, branches };
      this.file = file;
      this.corrects = corrects;
      // Something to put right is looked at as a whole; what was begun goes on where it stopped.
      this.step = corrects ? 'review' : firstOpen(this.form, file);
      this.phase = 'open';
    } catch (thrown) {
      this.open_error = this.#desk.noted(thrown);
      this.phase = 'failed';
    }
  }

  /** Goes on to the next step; the last one sends. */
  async next(): Promise<void> {
    if (this.working || this.reading) return;
    const open = firstOpen(this.form, this.file);
    if (this.step === 'review') this.step = open;
    const { step } = this;
    this.problem = missing(step, this.form, this.file);
    if (this.problem) return;
    await this.#attempt(async () => {
      if (step === 'contact') {
        await this.#desk.backend.check_contact(this.form.contact_email, this.form.contact_phone);
      }
      if (step === 'review') return this.#send();
      await this.keep();
      const after = STEPS[STEPS.findIndex((one) => one === step) + 1];
      this.step = this.#reviewed ? 'review' : (after ?? 'review');
      this.#reviewed = false;
    });
  }

  back(): void {
    this.problem = null;
    const before = STEPS[STEPS.findIndex((one) => one === this.step) - 1];
    if (this.#reviewed) this.step = 'review';
    else if (before) this.step = before;
    this.#reviewed = false;
    void this.keep();
  }

  /** From the review: to what is to be changed. */
  change(step: Step): void {
    if (this.working) return;
    this.problem = null;
    this.step = step;
    this.#reviewed = true;
  }

  add_branch(): void {
    this.form.branches.push({ ...EMPTY_BRANCH });
  }

  remove_branch(index: number): void {
    this.problem = null;
    this.form.branches.splice(index, 1);
    void this.keep();
  }

  /** Takes the file that was chosen or dropped. */
  async choose(files: readonly File[]): Promise<void> {
    const [file] = files;
    if (!file || this.working || this.reading) return;
    this.problem = fileProblem(files);
    if (this.problem) return;
    this.reading = true;
    try {
      this.file = await this.#desk.backend.attach_file(file);
    } catch (thrown) {
      // The webview could not read it: a stick that was pulled out, a file that is gone.
      this.problem =
        thrown instanceof DOMException
          ? { field: 'file', text: t('solicitud_file_unreadable') }
          : refused(this.#desk.noted(thrown));
    } finally {
      this.reading = false;
    }
  }

  async remove_file(): Promise<void> {
    if (this.working || this.reading) return;
    await this.#attempt(async () => {
      await this.#desk.backend.detach_file();
      this.file = null;
    });
  }

  /** Something is being typed: kept when nobody has typed for a moment, for the desk may be locked in the middle of a field. */
  typed(): void {
    this.problem = null;
    clearTimeout(this.#typed);
    this.#typed = setTimeout(() => {
      if (!this.working && this.step !== 'done') void this.keep();
    }, KEPT_AFTER_MS);
  }

  /** Has the desk keep what is typed. */
  keep(): Promise<void> {
    const form = $state.snapshot(this.form);
    this.#kept = this.#kept.then(async () => {
      try {
        await this.#desk.backend.keep_application(form);
        this.keep_error = null;
      } catch (thrown) {
        this.keep_error = sentence(commandError(thrown));
      }
    });
    return this.#kept;
  }

  async #send(): Promise<void> {
    await this.keep();
    // What is on this PC is what is sent: it has to be what is on the screen.
    if (this.keep_error) return;
    this.upload = null;
    await this.#desk.backend.send_application();
    this.step = 'done';
    // The tile follows; when it cannot be asked now, Aplicaciones asks again.
    await this.#desk.refresh_session().catch(() => undefined);
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.working = true;
    this.problem = null;
    try {
      await work();
    } catch (thrown) {
      this.problem = refused(this.#desk.noted(thrown));
      this.step = stepOf(this.problem, this.step);
    } finally {
      this.working = false;
      this.upload = null;
    }
  }
}
