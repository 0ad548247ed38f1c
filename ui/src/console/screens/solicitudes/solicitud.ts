/** What the screens of requests work out of one. */
import type { AgreementTerms, ApplicationRequest, ApproveApplication } from '../../api/wire';

/** When the request was sent, or, corrected, sent again. */
export function sentAt(request: ApplicationRequest): string {
  const sent = request.history.filter(({ state }) => state === 'SUBMITTED');
  return sent.at(-1)?.at ?? '';
}

/** Whether the caja can still decide. */
export function isOpen(request: ApplicationRequest): boolean {
  return request.state === 'SUBMITTED' || request.state === 'IN_REVIEW';
}

/** A branch as it is approved: its code may be left to the server. */
export interface BranchForm {
  code: string;
  name: string;
  city: string;
  address: string;
}

export function branchForms(request: ApplicationRequest): BranchForm[] {
  return request.content.branches.map(({ name, city, address }) => ({ code: '', name, city, address }));
}

/** A branch code as the contract takes it. */
const CODE = /^[A-Z0-9]{2,8}(-[A-Z0-9]{1,6})?$/;

/** What is wrong with the code at each place; a code that stands twice is wrong at its second place. */
export function codeProblems(codes: string[]): ('shape' | 'twice' | null)[] {
  return codes.map((code, place) => {
    if (code === '') return null;
    if (!CODE.test(code)) return 'shape';
    return codes.indexOf(code) < place ? 'twice' : null;
  });
}

export function approvalOf(
  revision: number,
  agreement: AgreementTerms,
  branches: BranchForm[],
): ApproveApplication {
  return {
    revision,
    agreement,
    branches: branches.map(({ code, name, city }) => ({
      code: code || null,
      name: name.trim(),
      city: city.trim(),
    })),
  };
}
