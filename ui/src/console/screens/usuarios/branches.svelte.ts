/** The branches of an entity, to be chosen from. */
import type { Api } from '../../api/api';
import type { ApiFailure } from '../../api/failure';
import type { AdminBranch } from '../../api/wire';
import { Found } from '../../app/found.svelte';

export class Branches {
  readonly #found = new Found<AdminBranch[]>();
  readonly options = $derived(
    (this.#found.thing ?? [])
      .filter(({ closed_at }) => closed_at === null)
      .map(({ id, code, name, city }) => ({ value: id, label: `${code} · ${name} · ${city}` })),
  );

  constructor(private readonly api: Api) {}

  get error(): ApiFailure | null {
    return this.#found.error;
  }

  ask(entity_id: string): Promise<void> {
    return this.#found.ask(async () => (await this.api.entity(entity_id)).branches);
  }

  forget(): void {
    this.#found.forget();
  }
}
