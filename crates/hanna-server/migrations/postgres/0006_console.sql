-- People of the caja have a second factor; desks say how much still waits at them.

-- What an account's authenticator application was told. Whoever reads this database can sign statements, too.
CREATE TABLE second_factors (
    account_id   uuid        PRIMARY KEY REFERENCES accounts (id),
    secret       bytea       NOT NULL CHECK (length(secret) = 20),
    confirmed_at timestamptz,          -- none: not in force yet
    last_step    bigint      NOT NULL  -- of 30 seconds since 1970: the last one whose code served; none up to it serves again
);

-- What serves in the place of such a code, each once: then it goes.
CREATE TABLE recovery_codes (
    account_id uuid  NOT NULL REFERENCES accounts (id),
    code_mac   bytea NOT NULL CHECK (length(code_mac) = 32),  -- keyed hash of account and code
    PRIMARY KEY (account_id, code_mac)
);

-- When the session got its second factor; none: it has none.
ALTER TABLE sessions ADD COLUMN second_factor_at timestamptz;

-- How many items still waited there when the PC said so last; none: it never did.
ALTER TABLE devices ADD COLUMN waiting bigint CHECK (waiting >= 0);
