import { expect, it } from 'vitest';
import { keyAction, neighbourKind, startsTyping } from './keys';

const pressed = (key: string, change: Partial<KeyboardEvent> = {}) => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  repeat: false,
  target: document.body as EventTarget,
  ...change,
});

it('tells the second key from the first', () => {
  expect(keyAction(pressed('F2'))).toBe('report');
  expect(keyAction(pressed('F2', { shiftKey: true }))).toBe('again');
  expect(keyAction(pressed('Escape'))).toBe('escape');
  expect(keyAction(pressed('Enter'))).toBeNull();
});

it('takes a key held down as pressed once', () => {
  expect(keyAction(pressed('F2', { repeat: true }))).toBeNull();
  expect(keyAction(pressed('F2', { shiftKey: true, repeat: true }))).toBeNull();
});

it('goes round the kinds in both directions', () => {
  expect(neighbourKind('CC', 1)).toBe('CE');
  expect(neighbourKind('CC', -1)).toBe('PPT');
  expect(neighbourKind('PPT', 1)).toBe('CC');
});

it('takes digits typed anywhere for the field, but never out of another field', () => {
  expect(startsTyping(pressed('1'))).toBe(true);
  expect(startsTyping(pressed('Tab'))).toBe(false);
  expect(startsTyping(pressed('c', { ctrlKey: true }))).toBe(false);
  expect(startsTyping(pressed(' '))).toBe(false);
  expect(startsTyping(pressed('1', { target: document.createElement('input') }))).toBe(false);
  expect(startsTyping(pressed('C', { target: document.createElement('select') }))).toBe(false);
});
