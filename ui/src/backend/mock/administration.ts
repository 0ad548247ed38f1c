/** The part of the invented desk that an entity's administrator uses. */
import type { ApplicationForm } from '../../bindings/ApplicationForm';
import type { ApplicationState } from '../../bindings/ApplicationState';
import type { InvitationForm } from '../../bindings/InvitationForm';
import type { Role } from '../../bindings/Role';
import type { SetState } from '../../bindings/SetState';
import type { UploadProgress } from '../../bindings/UploadProgress';
import type { Stop } from '../backend';
import { type Command, type Controls, refuse, subscribe, wait } from './desk';
import type { Account } from './people';
import { Requests } from './requests';
import { EntityPeople } from './users';

export abstract class Administration {
  abstract readonly controls: Controls;
  protected abstract run<Answer>(command: Command, answer: () => Answer): Promise<Answer>;
  protected abstract reach(): void;
  protected abstract id(): string;
  /** Whoever is signed in. */
  protected abstract account(): Account | null;
  #upload_listeners = new Set<(progress: UploadProgress) => void>();
  readonly #requests = new Requests(
    () => this.id(),
    refuse,
    (progress) => this.#upload_listeners.forEach((tell) => tell(progress)),
  );
  readonly #people = new EntityPeople(refuse);

  application_requests = () =>
    this.run('application_requests', () =>
      [this.#requests.of(this.#administrator())].filter((request) => request !== null),
    );

  begin_application = () => this.run('begin_application', () => this.#requests.begin(this.#administrator()));

  keep_application = (form: ApplicationForm) =>
    this.run('keep_application', () => this.#requests.keep(this.#administrator(), form));

  attach_file = async (file: File) => {
    await this.run('attach_file', () => undefined);
    return this.#requests.attach(this.#administrator(), file);
  };

  detach_file = () => this.run('detach_file', () => this.#requests.detach(this.#administrator()));

  send_application = async () => {
    await this.run('send_application', () => this.reach());
    this.#requests.begin_upload(this.#administrator());
    await wait(this.controls.server_ms);
    return this.#requests.send(this.#administrator());
  };

  /** The caja does something with the request of whoever is signed in. */
  decide(state: ApplicationState, reason: string | null = null): void {
    this.#requests.decide(this.#administrator(), state, reason);
  }

  entity_users = (q: string) =>
    this.run('entity_users', () => {
      this.reach();
      return { items: this.#people.list(this.#administrator(), this.controls.alone, q), next: null };
    });

  entity_branches = () => this.run('entity_branches', () => this.#administrator().branches);
  invite_user = (form: InvitationForm) => this.run('invite_user', () => this.#people.invite(this.id(), form));

  assign_user = (id: string, roles: Role[], branches: string[]) =>
    this.run('assign_user', () => this.#people.change(id, { roles, branches }));

  set_user_state = (id: string, state: SetState) =>
    this.run('set_user_state', () => this.#people.change(id, { state }));

  reset_user = () => this.run('reset_user', () => this.reach());
  invite_again = () => this.run('invite_again', () => this.reach());
  on_upload = (listener: (progress: UploadProgress) => void): Stop =>
    subscribe(this.#upload_listeners, listener);

  #administrator(): Account {
    const account = this.account() ?? refuse('NOT_SIGNED_IN');
    return account.roles?.includes('ENTITY_ADMIN') ? account : refuse('FORBIDDEN');
  }
}
