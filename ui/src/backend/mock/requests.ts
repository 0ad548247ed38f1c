/** The application requests of the invented entities, and the draft of whoever is signed in. */
import type { Application } from '../../bindings/Application';
import type { ApplicationDraft } from '../../bindings/ApplicationDraft';
import type { ApplicationEvent } from '../../bindings/ApplicationEvent';
import type { ApplicationForm } from '../../bindings/ApplicationForm';
import type { ApplicationRequest } from '../../bindings/ApplicationRequest';
import type { ApplicationState } from '../../bindings/ApplicationState';
import type { ChosenFile } from '../../bindings/ChosenFile';
import type { ErrorCode } from '../../bindings/ErrorCode';
import type { MediaType } from '../../bindings/MediaType';
import type { UploadProgress } from '../../bindings/UploadProgress';
import type { Account } from './people';

const HOUR_MS = 3_600_000;
const KINDS: [string, MediaType][] = [
  ['%PDF-', 'application/pdf'],
  ['\x89PNG', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
];

type Refuse = (code: ErrorCode) => never;

export class Requests {
  readonly #id: () => string;
  readonly #refuse: Refuse;
  readonly #tell: (progress: UploadProgress) => void;
  readonly #requests = new Map<string, ApplicationRequest>();
  readonly #drafts = new Map<string, ApplicationDraft>();

  constructor(id: () => string, refuse: Refuse, tell: (progress: UploadProgress) => void) {
    this.#id = id;
    this.#refuse = refuse;
    this.#tell = tell;
  }

  /** The newest request of an entity; one that was made before the mock began is invented from its tile. */
  of(account: Account): ApplicationRequest | null {
    const key = account.operator.id;
    const { state, reason } = this.#tile(account);
    if (state !== 'NOT_REQUESTED' && !this.#requests.has(key)) {
      this.#requests.set(key, this.#invented(account, state, reason));
    }
    return this.#requests.get(key) ?? null;
  }

  begin(account: Account): ApplicationDraft {
    const { state } = this.#tile(account);
    if (state !== 'NOT_REQUESTED' && state !== 'REJECTED') return this.#refuse('ALREADY_REQUESTED');
    const key = account.operator.id;
    const kept = this.#drafts.get(key);
    if (kept) return kept;
    const before = this.of(account);
    const form: ApplicationForm = before
      ? { ...before.content }
      : {
          contact_name: account.operator.display_name,
          contact_email: '',
          contact_phone: '',
          benefit: '',
          branches: [],
        };
    const draft: ApplicationDraft = {
      id: before?.id ?? this.#id(),
      form,
      file: before?.attachment ?? null,
      corrects: before && { revision: before.revision, reason: before.history.at(-1)?.reason ?? null },
    };
    this.#drafts.set(key, draft);
    return draft;
  }

  keep(account: Account, form: ApplicationForm): void {
    this.#drafts.set(account.operator.id, { ...this.#draft(account), form });
  }

  async attach(account: Account, file: File): Promise<ChosenFile> {
    const begins = String.fromCharCode(...new Uint8Array(await file.slice(0, 8).arrayBuffer()));
    const kind = KINDS.find(([magic]) => begins.startsWith(magic));
    if (!kind) return this.#refuse('ATTACHMENT_KIND');
    const chosen = { id: this.#id(), file_name: file.name, media_type: kind[1], size_bytes: file.size };
    this.#drafts.set(account.operator.id, { ...this.#draft(account), file: chosen });
    return chosen;
  }

  detach(account: Account): void {
    this.#drafts.set(account.operator.id, { ...this.#draft(account), file: null });
  }

  /** Half of the file is on its way. */
  begin_upload(account: Account): void {
    const size_bytes = this.#draft(account).file?.size_bytes ?? 0;
    this.#tell({ sent_bytes: size_bytes / 2, size_bytes });
  }

  send(account: Account): ApplicationRequest {
    const { id, form, file, corrects } = this.#draft(account);
    if (!file) return this.#refuse('REQUEST_INCOMPLETE');
    const revision = (corrects?.revision ?? 0) + 1;
    const history = this.#requests.get(account.operator.id)?.history ?? [];
    const request: ApplicationRequest = {
      id,
      application: 'CONVENIOS',
      entity: account.entity,
      state: 'SUBMITTED',
      revision,
      content: { ...form, attachment_id: file.id },
      attachment: { ...file, sha256: '0'.repeat(64) },
      history: [...history, this.#event('SUBMITTED', revision, account.operator.display_name, 0)],
    };
    this.#requests.set(account.operator.id, request);
    this.#drafts.delete(account.operator.id);
    this.#set_tile(account, 'SUBMITTED', null);
    return request;
  }

  /** The caja does something with the request. */
  decide(account: Account, state: ApplicationState, reason: string | null): void {
    const request = this.of(account);
    if (!request) return;
    const event = { ...this.#event(state, request.revision, 'Coordinación Convenios', 0), reason };
    this.#requests.set(account.operator.id, { ...request, state, history: [...request.history, event] });
    this.#set_tile(account, state, reason);
  }

  #draft(account: Account): ApplicationDraft {
    return this.#drafts.get(account.operator.id) ?? this.#refuse('ITEM_NOT_FOUND');
  }

  #tile(account: Account): Application {
    const found = account.applications.find(({ code }) => code === 'CONVENIOS');
    return found ?? this.#refuse('INTERNAL');
  }

  #set_tile(account: Account, state: ApplicationState, reason: string | null): void {
    account.applications = account.applications.map((tile) =>
      tile.code === 'CONVENIOS' ? { ...tile, state, reason } : tile,
    );
  }

  #event(state: ApplicationState, revision: number, by: string, hours: number): ApplicationEvent {
    return { at: new Date(Date.now() - hours * HOUR_MS).toISOString(), state, revision, reason: null, by };
  }

  #invented(account: Account, state: ApplicationState, reason: string | null): ApplicationRequest {
    const history = [this.#event('SUBMITTED', 1, account.operator.display_name, 50)];
    const caja = 'Coordinación Convenios';
    if (state !== 'SUBMITTED') history.push(this.#event('IN_REVIEW', 1, caja, 26));
    if (state === 'REJECTED') history.push({ ...this.#event('REJECTED', 1, caja, 3), reason });
    if (state === 'APPROVED') history.push(this.#event('APPROVED', 1, caja, 3));
    const id = this.#id();
    return {
      id: this.#id(),
      application: 'CONVENIOS',
      entity: account.entity,
      state,
      revision: 1,
      content: {
        contact_name: account.operator.display_name,
        contact_email: `${account.operator.username}@gymcaribe.co`,
        contact_phone: '3001234567',
        benefit: '20 % de descuento en la mensualidad y una valoración física sin costo al ingresar.',
        branches: [
          { name: 'Sede Norte', city: 'Barranquilla', address: 'Carrera 53 # 76-100' },
          { name: 'Sede Soledad', city: 'Soledad', address: 'Calle 30 # 12-45, local 7' },
        ],
        attachment_id: id,
      },
      attachment: {
        id,
        file_name: 'cámara de comercio GYM CARIBE 2025.pdf',
        media_type: 'application/pdf',
        size_bytes: 482_113,
        sha256: '0'.repeat(64),
      },
      history,
    };
  }
}
