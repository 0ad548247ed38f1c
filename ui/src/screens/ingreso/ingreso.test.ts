import { expect, it } from 'vitest';
import { missing, refused } from './ingreso';

it('says what is missing, first things first', () => {
  expect(missing('  ', '')).toMatchObject({ field: 'username', about: 'field' });
  expect(missing('ana', '')).toMatchObject({ field: 'password', about: 'field' });
  expect(missing('ana', ' ')).toBeNull();
});

it('puts the focus where the mistake can be put right', () => {
  expect(refused({ code: 'WRONG_CREDENTIALS', params: {} })).toMatchObject({
    field: 'password',
    about: 'field',
  });
  expect(refused({ code: 'ACCOUNT_NOT_ACTIVE', params: {} })).toMatchObject({
    field: 'username',
    about: 'field',
  });
  expect(refused({ code: 'SERVER_UNREACHABLE', params: {} })).toMatchObject({
    field: 'password',
    about: 'attempt',
  });
});

it('says which version to install, and that nothing is lost', () => {
  const problem = refused({ code: 'PROGRAM_TOO_OLD', params: { version: '0.2.0' } });
  expect(problem).toEqual({
    field: 'password',
    about: 'attempt',
    text:
      'Esta versión del programa ya no sirve: instale la 0.2.0 o una posterior. ' +
      'Lo que está por enviar se conserva y se enviará después.',
  });
});

it('says how long to wait, also when the desk does not know', () => {
  expect(refused({ code: 'SLOW_DOWN', params: { retry_after_s: 30 } }).text).toContain('30 segundos');
  expect(refused({ code: 'SLOW_DOWN', params: {} }).text).toContain('unos segundos');
});
