-- What bounds writing: limits, freezing and closing of accounts, closed periods, holds that expire.

-- The limits that an account was opened with. An account that has one claims its next revision on that side for ever, also
-- when a later control lifts it; one that has none never claims.
ALTER TABLE account
    ADD COLUMN IF NOT EXISTS floor   BIGINT NULL COMMENT 'minor units; the least balance, on the normal side',
    ADD COLUMN IF NOT EXISTS ceiling BIGINT NULL COMMENT 'minor units; the greatest balance, on the normal side';

ALTER TABLE posting DROP CONSTRAINT IF EXISTS posting_status;
ALTER TABLE posting ADD CONSTRAINT posting_status CHECK (status <= 2);
ALTER TABLE posting MODIFY COLUMN status TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '0 posted, 1 pending, 2 released: a pending posting taken back';

-- Who acts next on an account with limits: one row for each transaction that may turn a yes into a no.
CREATE TABLE IF NOT EXISTS account_claim (
    account  INT UNSIGNED    NOT NULL,
    revision BIGINT UNSIGNED NOT NULL COMMENT '1, 2, 3: the claim',
    PRIMARY KEY (account, revision)
) ENGINE = InnoDB;

-- What is in force from then on: an account's limits and status, or (account NULL) the period that is closed. The newest
-- row of an account says. The sequence is a slot, so rows are committed in its order and none is missing.
CREATE TABLE IF NOT EXISTS control (
    sequence      BIGINT UNSIGNED NOT NULL PRIMARY KEY COMMENT '1, 2, 3: the claim',
    account       INT UNSIGNED    NULL,
    status        ENUM ('open', 'frozen', 'closed') NULL,
    floor         BIGINT          NULL COMMENT 'minor units; NULL: none',
    ceiling       BIGINT          NULL COMMENT 'minor units; NULL: none',
    closed_before DATETIME(6)     NULL COMMENT 'UTC: entries that count before it are refused or re-dated',
    entry_id      BINARY(16)      NOT NULL COMMENT 'the entry that tells of it',
    KEY control_account (account, sequence),
    CONSTRAINT control_account_or_period CHECK ((account IS NULL) = (status IS NULL) AND (account IS NULL) = (closed_before IS NOT NULL))
) ENGINE = InnoDB;

-- Holds that expire, by account: what of their pending postings ends at that instant unless an entry with the settlement's
-- id has come before it.
CREATE TABLE IF NOT EXISTS hold_expiry (
    account    INT UNSIGNED   NOT NULL,
    expires_at DATETIME(6)    NOT NULL COMMENT 'UTC',
    hold       BINARY(16)     NOT NULL COMMENT 'entry.id',
    settlement BINARY(16)     NOT NULL COMMENT 'entry.id of whatever settles it',
    debits     DECIMAL(38, 0) NOT NULL,
    credits    DECIMAL(38, 0) NOT NULL,
    PRIMARY KEY (account, expires_at, hold),
    KEY hold_expiry_due (expires_at)
) ENGINE = InnoDB;

-- Every hold that expired up to the newest of these instants is settled; nobody needs to look for it again.
CREATE TABLE IF NOT EXISTS hold_sweep (
    swept_before DATETIME(6) NOT NULL PRIMARY KEY COMMENT 'UTC'
) ENGINE = InnoDB;

-- One row, from the beginning: what never changes of the book.
CREATE TABLE IF NOT EXISTS book (
    one       TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    time_zone VARCHAR(64)      NOT NULL COMMENT 'IANA name: where its accounting days begin and end',
    CONSTRAINT book_one CHECK (one = 1)
) ENGINE = InnoDB;

CREATE TRIGGER IF NOT EXISTS account_claim_no_update BEFORE UPDATE ON account_claim FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a claim is never changed';
CREATE TRIGGER IF NOT EXISTS account_claim_no_delete BEFORE DELETE ON account_claim FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a claim is never removed';
CREATE TRIGGER IF NOT EXISTS control_no_update BEFORE UPDATE ON control FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a control is never changed; a newer one follows it';
CREATE TRIGGER IF NOT EXISTS control_no_delete BEFORE DELETE ON control FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a control is never removed; a newer one follows it';
CREATE TRIGGER IF NOT EXISTS hold_expiry_no_update BEFORE UPDATE ON hold_expiry FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a hold is never changed; settle it';
CREATE TRIGGER IF NOT EXISTS hold_expiry_no_delete BEFORE DELETE ON hold_expiry FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a hold is never removed; settle it';
CREATE TRIGGER IF NOT EXISTS hold_sweep_no_update BEFORE UPDATE ON hold_sweep FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a sweep is never changed';
CREATE TRIGGER IF NOT EXISTS hold_sweep_no_delete BEFORE DELETE ON hold_sweep FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a sweep is never removed';
CREATE TRIGGER IF NOT EXISTS book_no_update BEFORE UPDATE ON book FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a book is never changed';
CREATE TRIGGER IF NOT EXISTS book_no_delete BEFORE DELETE ON book FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a book is never removed';
