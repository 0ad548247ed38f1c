-- A clock put back while there is no server is behind what it has said itself.

ALTER TABLE clock_mark ADD COLUMN device_time_high INTEGER; -- ms since 1970, this PC's clock since the last answer
