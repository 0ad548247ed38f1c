import { expect, it } from 'vitest';
import type { Application } from '../../bindings/Application';
import { inOrder, tile } from './aplicaciones';

const CONVENIOS: Application = {
  code: 'CONVENIOS',
  name: 'CONVENIOS',
  description: '',
  state: 'APPROVED',
  reason: null,
};
const OTHER: Application = { ...CONVENIOS, code: 'SUBSIDIOS', name: 'SUBSIDIOS' };

it('opens CONVENIOS when it is approved, and only then', () => {
  expect(tile(CONVENIOS)).toEqual({ opens: true });
  for (const state of ['NOT_REQUESTED', 'SUBMITTED', 'IN_REVIEW', 'REJECTED'] as const) {
    expect(tile({ ...CONVENIOS, state }), state).toMatchObject({ opens: false });
  }
});

it('gives the reason of a rejection', () => {
  const reason = 'El certificado está vencido.';
  expect(tile({ ...CONVENIOS, state: 'REJECTED', reason })).toMatchObject({ reason });
});

it('opens nothing else, approved or not', () => {
  expect(tile(OTHER)).toMatchObject({ opens: false });
});

it('puts CONVENIOS first and leaves the rest as the server orders it', () => {
  const third = { ...OTHER, code: 'AFILIACIONES' };
  expect(inOrder([OTHER, third, CONVENIOS])).toEqual([CONVENIOS, OTHER, third]);
});
