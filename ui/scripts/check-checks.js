// svelte-check has been seen to report nothing at all with a new TypeScript: a check that cannot fail checks nothing.
// So it is run on a component that is wrong in three ways, and has to find all three.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const EXPECTED = ['"COVERED"', '"no_such_sentence"', '"loud"'];

const { status, stdout } = spawnSync(
  here('../node_modules/.bin/svelte-check'),
  [
    '--workspace',
    here('fixtures/type-error'),
    '--tsconfig',
    here('fixtures/type-error/tsconfig.json'),
    '--output',
    'machine',
  ],
  { encoding: 'utf8' },
);
const missed = EXPECTED.filter((mistake) => !stdout.replaceAll('\\"', '"').includes(mistake));
if (status === 0 || missed.length > 0) {
  console.error(
    `svelte-check does not report type errors any more (missed: ${missed.join(', ') || 'its exit code'})`,
  );
  console.error(stdout);
  process.exitCode = 1;
}
