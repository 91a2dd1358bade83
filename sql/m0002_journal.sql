-- The journal: a log. No index but the idempotency key, and no foreign key: both would double the cost of writing.
-- References are kept whole by the library, which checks every posting against accounts that never change, and
-- reconcile proves it over the whole journal.

CREATE TABLE IF NOT EXISTS entry (
    position     BIGINT UNSIGNED   NOT NULL AUTO_INCREMENT PRIMARY KEY COMMENT 'the order of the journal',
    id           BINARY(16)        NULL     COMMENT 'a request is done once; NULL for a tombstone',
    kind         VARCHAR(64)       CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `lines`      SMALLINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'how many postings were recorded with it',
    effective_at DATETIME(6)       NOT NULL DEFAULT UTC_TIMESTAMP(6) COMMENT 'UTC: when it counts',
    recorded_at  DATETIME(6)       NOT NULL DEFAULT UTC_TIMESTAMP(6) COMMENT 'UTC: when it was known; nobody may name it',
    payload      JSON              NULL     COMMENT 'description, reference, actor and what the kind carries',
    UNIQUE KEY entry_id (id),
    CONSTRAINT entry_tombstone CHECK ((id IS NULL) = (kind = 'ledger.tombstone')),
    CONSTRAINT entry_tombstone_lines CHECK (id IS NOT NULL OR `lines` = 0)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS posting (
    position BIGINT UNSIGNED   NOT NULL,
    line     SMALLINT UNSIGNED NOT NULL COMMENT 'from 1',
    debit    INT UNSIGNED      NOT NULL COMMENT 'account.id',
    credit   INT UNSIGNED      NOT NULL COMMENT 'account.id, of the same currency',
    amount   BIGINT UNSIGNED   NOT NULL COMMENT 'minor units',
    status   TINYINT UNSIGNED  NOT NULL DEFAULT 0 COMMENT '0 posted, 1 pending',
    PRIMARY KEY (position, line),
    CONSTRAINT posting_amount CHECK (amount > 0),
    CONSTRAINT posting_accounts CHECK (debit <> credit),
    CONSTRAINT posting_status CHECK (status <= 1)
) ENGINE = InnoDB;

CREATE TRIGGER IF NOT EXISTS entry_no_update BEFORE UPDATE ON entry FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: an entry is never changed; post a correction';
CREATE TRIGGER IF NOT EXISTS entry_no_delete BEFORE DELETE ON entry FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: an entry is never removed; post a correction';
CREATE TRIGGER IF NOT EXISTS posting_no_update BEFORE UPDATE ON posting FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a posting is never changed; post a correction';
CREATE TRIGGER IF NOT EXISTS posting_no_delete BEFORE DELETE ON posting FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a posting is never removed; post a correction';
