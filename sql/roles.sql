-- The roles of one book. {book} is its database, {book_pattern} the same with _ and % escaped (grants on a whole
-- database take a pattern). Nobody here may change or remove a row; nobody may name recorded_at; only the projector
-- may name a position, and with it nothing but a kind, so all it can write into the journal is a tombstone.

CREATE ROLE IF NOT EXISTS '{book}_writer';
CREATE ROLE IF NOT EXISTS '{book}_projector';
CREATE ROLE IF NOT EXISTS '{book}_auditor';

GRANT SELECT ON `{book_pattern}`.* TO '{book}_writer';
GRANT INSERT (code, exponent) ON `{book}`.currency TO '{book}_writer';
GRANT INSERT (path, currency, type, floor, ceiling) ON `{book}`.account TO '{book}_writer';
GRANT INSERT (id, kind, `lines`, effective_at, payload) ON `{book}`.entry TO '{book}_writer';
GRANT INSERT ON `{book}`.posting TO '{book}_writer';
GRANT INSERT ON `{book}`.account_claim TO '{book}_writer';
GRANT INSERT ON `{book}`.control TO '{book}_writer';
GRANT INSERT ON `{book}`.hold_expiry TO '{book}_writer';
GRANT INSERT ON `{book}`.hold_sweep TO '{book}_writer';
GRANT INSERT ON `{book}`.fee_schedule TO '{book}_writer';
GRANT INSERT ON `{book}`.stream_entry TO '{book}_writer';

GRANT SELECT ON `{book_pattern}`.* TO '{book}_projector';
GRANT INSERT (position, kind) ON `{book}`.entry TO '{book}_projector';
GRANT INSERT (job, generation, from_position, through_position, entries, postings, hash) ON `{book}`.checkpoint TO '{book}_projector';
GRANT INSERT (job, generation, from_position, attempt, position, code, message) ON `{book}`.job_failure TO '{book}_projector';
GRANT INSERT (job, sequence, action) ON `{book}`.job_control TO '{book}_projector';

GRANT SELECT ON `{book_pattern}`.* TO '{book}_auditor';
