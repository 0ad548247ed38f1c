-- People of the caja have a second factor; desks say how much still waits at them.

-- What an account's authenticator application was told. Whoever reads this file can sign statements, too.
CREATE TABLE second_factors (
    account_id   BLOB PRIMARY KEY NOT NULL REFERENCES accounts (id),
    secret       BLOB NOT NULL CHECK (length(secret) = 20),
    confirmed_us INTEGER,          -- NULL: not in force yet
    last_step    INTEGER NOT NULL  -- of 30 seconds since 1970: the last one whose code served; none up to it serves again
) STRICT, WITHOUT ROWID;

-- What serves in the place of such a code, each once: then it goes.
CREATE TABLE recovery_codes (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    code_mac   BLOB NOT NULL CHECK (length(code_mac) = 32),  -- keyed hash of account and code
    PRIMARY KEY (account_id, code_mac)
) STRICT, WITHOUT ROWID;

-- When the session got its second factor; NULL: it has none.
ALTER TABLE sessions ADD COLUMN second_factor_us INTEGER;

-- How many items still waited there when the PC said so last; NULL: it never did.
ALTER TABLE devices ADD COLUMN waiting INTEGER CHECK (waiting >= 0);
