/** The people of the entity: how a row reads, and what is missing in a form. Pure. */
import type { CommandError } from '../../backend/backend';
import type { Branch } from '../../bindings/Branch';
import type { EntityUser } from '../../bindings/EntityUser';
import type { ErrorCode } from '../../bindings/ErrorCode';
import type { InvitationForm } from '../../bindings/InvitationForm';
import type { Role } from '../../bindings/Role';
import { sentence } from '../../errors';
import { t } from '../../i18n/i18n';

/** What an administrator gives. */
export const ROLES = ['OPERATOR', 'ENTITY_ADMIN'] as const satisfies Role[];

export type FieldName = 'display_name' | 'email' | 'roles';

/** One problem at a time; without a field it is about the whole attempt. */
export interface Problem {
  field: FieldName | null;
  text: string;
}

const FIELDS: Partial<Record<ErrorCode, FieldName>> = {
  EMAIL_INVALID: 'email',
  USERNAME_TAKEN: 'email',
};

export function refused(error: CommandError): Problem {
  return { field: FIELDS[error.code] ?? null, text: sentence(error) };
}

/** What is still empty in an invitation. */
export function missing({ display_name, email, roles }: InvitationForm): Problem | null {
  if (display_name.trim() === '') return { field: 'display_name', text: t('cuenta_empty') };
  if (email.trim() === '') return { field: 'email', text: t('cuenta_empty') };
  return roleProblem(roles);
}

export function roleProblem(roles: Role[]): Problem | null {
  return roles.length === 0 ? { field: 'roles', text: t('entidad_role_missing') } : null;
}

/** The roles of a row, in words. */
export function rolesText(roles: Role[]): string {
  return roles.map((role) => t(`entidad_role_${role}`)).join(' · ');
}

/** The sedes of a row: their names, or that they are all or none. */
export function branchesText(ids: string[], branches: Branch[]): string {
  const theirs = branches.filter(({ id }) => ids.includes(id));
  if (theirs.length === 0) return t('entidad_no_branches');
  if (theirs.length === branches.length && branches.length > 1) return t('entidad_all_branches');
  return theirs.map(({ name }) => name).join(' · ');
}

/** What may be done with somebody, besides changing roles and sedes. Nobody locks themselves out. */
export function actionsOn(
  user: EntityUser,
  own_id: string,
): ('suspend' | 'reactivate' | 'reset' | 'again')[] {
  if (user.id === own_id) return [];
  if (user.state === 'SUSPENDED_BY_CAJA') return [];
  if (user.state === 'SUSPENDED') return ['reactivate'];
  if (user.state === 'INVITED') return ['again', 'suspend'];
  return ['reset', 'suspend'];
}
