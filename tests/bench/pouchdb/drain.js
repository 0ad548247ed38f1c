// How long PouchDB takes to replicate documents to express-pouchdb on loopback, both over LevelDB.
//
//     node drain.js DOCUMENTS BYTES BATCH
//
// Prints {"ms": …, "held": …}, the latter as the server counts. Whatever makes it fast is done: the server has a process
// of its own, and both programs have replicated a batch to another database before.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import PouchDB from 'pouchdb';

const [count, bytes, batch] = process.argv.slice(2).map(Number);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hanna-bench-pouchdb-'));
const served = path.join(folder, 'served');
fs.mkdirSync(served);
const server = fork(fileURLToPath(new URL('server.js', import.meta.url)), [served]);
try {
    const [port] = await once(server, 'message');
    const address = `http://127.0.0.1:${port}`;
    await replicate('warm', batch, address);
    const ms = await replicate('uses', count, address);
    const { doc_count: held } = await (await fetch(`${address}/uses`)).json();
    process.stdout.write(`${JSON.stringify({ ms, held })}\n`);
} finally {
    server.kill();
    await once(server, 'exit');
    fs.rmSync(folder, { recursive: true });
}

async function replicate(name, documents, address) {
    const local = new PouchDB(path.join(folder, name));
    await local.bulkDocs(Array.from({ length: documents }, (_, n) => document(n)));
    const begin = performance.now();
    const done = await local.replicate.to(`${address}/${name}`, { batch_size: batch });
    const ms = performance.now() - begin;
    await local.close();
    if (done.docs_written !== documents || done.doc_write_failures !== 0) {
        throw new Error(`${done.docs_written} of ${documents} documents were written`);
    }
    return ms;
}

/** As JSON it has just so many bytes. */
function document(n) {
    const empty = { _id: String(n).padStart(16, '0'), text: '' };
    return { ...empty, text: 'x'.repeat(bytes - JSON.stringify(empty).length) };
}
