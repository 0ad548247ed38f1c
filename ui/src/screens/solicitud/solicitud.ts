/** *Solicitar CONVENIOS*: the steps, what is missing in each, and at which field an error belongs. Pure. */
import type { CommandError } from '../../backend/backend';
import type { ApplicationForm } from '../../bindings/ApplicationForm';
import type { ChosenFile } from '../../bindings/ChosenFile';
import type { ErrorCode } from '../../bindings/ErrorCode';
import type { ProposedBranch } from '../../bindings/ProposedBranch';
import { sentence } from '../../errors';
import { locale, t } from '../../i18n/i18n';

export const STEPS = ['contact', 'benefit', 'branches', 'file', 'review'] as const;
export type Step = (typeof STEPS)[number] | 'done';

/** The limits of the contract. */
export const NAME_MAX = 120;
export const ADDRESS_MAX = 200;
export const BENEFIT_MAX = 500;
export const BRANCHES_MAX = 50;
export const FILE_MAX_MIB = 5;
const MIB = 1024 * 1024;

export type BranchField = keyof ProposedBranch;
export const BRANCH_FIELDS = ['name', 'city', 'address'] as const satisfies BranchField[];

/** The id of a field on the screen. */
export type FieldName =
  'contact_name' | 'contact_email' | 'contact_phone' | 'benefit' | 'file' | `branch-${number}-${BranchField}`;

/** One problem at a time; without a field it is about the whole attempt. */
export interface Problem {
  field: FieldName | null;
  text: string;
}

export const EMPTY_BRANCH: ProposedBranch = { name: '', city: '', address: '' };

export const branchField = (index: number, field: BranchField): FieldName => `branch-${index}-${field}`;

/** What is still empty in a step. */
export function missing(step: Step, form: ApplicationForm, file: ChosenFile | null): Problem | null {
  const empty = (...fields: [FieldName, string][]): Problem | null => {
    const found = fields.find(([, text]) => text.trim() === '');
    return found ? { field: found[0], text: t('cuenta_empty') } : null;
  };
  switch (step) {
    case 'contact':
      return empty(
        ['contact_name', form.contact_name],
        ['contact_email', form.contact_email],
        ['contact_phone', form.contact_phone],
      );
    case 'benefit':
      return empty(['benefit', form.benefit]);
    case 'branches':
      return empty(
        ...form.branches.flatMap((branch, index) =>
          BRANCH_FIELDS.map((field): [FieldName, string] => [branchField(index, field), branch[field]]),
        ),
      );
    case 'file':
      return file ? null : { field: 'file', text: t('solicitud_file_missing') };
    default:
      return null;
  }
}

/** The first step with something missing: where one goes on with what is there already. */
export function firstOpen(form: ApplicationForm, file: ChosenFile | null): Step {
  return STEPS.find((step) => missing(step, form, file)) ?? 'review';
}

const FIELDS: Partial<Record<ErrorCode, FieldName>> = {
  EMAIL_INVALID: 'contact_email',
  PHONE_INVALID: 'contact_phone',
  ATTACHMENT_TOO_LARGE: 'file',
  ATTACHMENT_KIND: 'file',
};

const STEP_OF: Partial<Record<FieldName, Step>> = {
  contact_name: 'contact',
  contact_email: 'contact',
  contact_phone: 'contact',
  benefit: 'benefit',
  file: 'file',
};

/** What to show for a refused attempt. */
export function refused(error: CommandError): Problem {
  return { field: FIELDS[error.code] ?? null, text: sentence(error) };
}

/** The step whose field a problem is about; where it stands if it is about none. */
export function stepOf(problem: Problem, here: Step): Step {
  return (problem.field && STEP_OF[problem.field]) ?? here;
}

/** What is wrong with what was chosen or dropped, before it is read: the desk looks at what is in it. */
export function fileProblem(files: readonly File[]): Problem | null {
  if (files.length > 1) return { field: 'file', text: t('solicitud_file_one') };
  const too_large = (files[0]?.size ?? 0) > FILE_MAX_MIB * MIB;
  return too_large ? refused({ code: 'ATTACHMENT_TOO_LARGE', params: { max: FILE_MAX_MIB } }) : null;
}

/** How many characters are left for the benefit. */
export function benefitLeft(benefit: string): number {
  return BENEFIT_MAX - [...benefit].length;
}

const sizes = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });

/** `482 KB`, `1,3 MB`. */
export function formatSize(size_bytes: number): string {
  return size_bytes < MIB
    ? `${sizes.format(Math.max(1, Math.round(size_bytes / 1024)))} KB`
    : `${sizes.format(size_bytes / MIB)} MB`;
}

/** `PDF · 482 KB`. */
export function describeFile({
  media_type,
  size_bytes,
}: Pick<ChosenFile, 'media_type' | 'size_bytes'>): string {
  const kinds = {
    'application/pdf': t('solicitud_file_kind_pdf'),
    'image/png': t('solicitud_file_kind_png'),
    'image/jpeg': t('solicitud_file_kind_jpeg'),
  };
  return `${kinds[media_type]} · ${formatSize(size_bytes)}`;
}
