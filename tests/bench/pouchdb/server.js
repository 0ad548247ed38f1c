// express-pouchdb on a free port of loopback, over LevelDB in the folder it is given; says its port to whoever forked it.

import http from 'node:http';
import path from 'node:path';

import express from 'express';
import expressPouchDB from 'express-pouchdb';
import PouchDB from 'pouchdb';

const folder = process.argv[2];
const Kept = PouchDB.defaults({ prefix: folder + path.sep });
const options = { mode: 'minimumForPouchDB', inMemoryConfig: true, logPath: path.join(folder, 'log.txt') };
const server = http.createServer(express().use('/', expressPouchDB(Kept, options)));
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
// Whoever forked it is gone.
process.on('disconnect', () => process.exit());
