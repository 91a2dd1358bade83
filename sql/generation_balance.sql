-- One generation of the projection "balance"; {generation} is its number. A row says what an account has moved up to
-- and with the entry at `through`; the newest row is the balance, the older ones are its history.

CREATE TABLE IF NOT EXISTS balance_g{generation} (
    account         INT UNSIGNED    NOT NULL,
    through         BIGINT UNSIGNED NOT NULL COMMENT 'the last position that touched the account in that step',
    debits_posted   DECIMAL(38, 0)  NOT NULL,
    credits_posted  DECIMAL(38, 0)  NOT NULL,
    debits_pending  DECIMAL(38, 0)  NOT NULL,
    credits_pending DECIMAL(38, 0)  NOT NULL,
    PRIMARY KEY (account, through)
) ENGINE = InnoDB;

CREATE TRIGGER IF NOT EXISTS balance_g{generation}_no_update BEFORE UPDATE ON balance_g{generation} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a balance is never changed; a newer row follows it';
CREATE TRIGGER IF NOT EXISTS balance_g{generation}_no_delete BEFORE DELETE ON balance_g{generation} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a balance is never removed; a newer row follows it';
