-- What an administrator has filled in of an application request and has not sent yet. Nobody else has it.
CREATE TABLE draft (
    operator_id BLOB NOT NULL PRIMARY KEY, -- 16 bytes: whose it is
    content     TEXT NOT NULL,             -- JSON
    file        BLOB                       -- the bytes of the file chosen; NULL when none is, or when the server has it
) STRICT;
