-- One generation of the projection "balance"; {generation} is its number. A row says what an account has moved up to
-- and with the entry at `through`; the newest row is the balance, the older ones are its history.

CREATE TABLE IF NOT EXISTS balance_g{generation} (
    account         INT UNSIGNED    NOT NULL,
    through         BIGINT UNSIGNED NOT NULL COMMENT 'the last position that it counts',
    debits_posted   DECIMAL(38, 0)  NOT NULL,
    credits_posted  DECIMAL(38, 0)  NOT NULL,
    debits_pending  DECIMAL(38, 0)  NOT NULL,
    credits_pending DECIMAL(38, 0)  NOT NULL,
    touched         VARBINARY(508)  NOT NULL COMMENT 'the other positions that it counts and the row before does not, from the first: through less each, 4 bytes, the most significant first',
    PRIMARY KEY (account, through)
) ENGINE = InnoDB;

-- Between which times the entries of a block of positions count, and up to when all entries were recorded.
CREATE TABLE IF NOT EXISTS balance_span_g{generation} (
    through       BIGINT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'the last position of the block',
    effective_min DATETIME(6)     NOT NULL,
    effective_max DATETIME(6)     NOT NULL,
    recorded_max  DATETIME(6)     NOT NULL COMMENT 'of all entries up to here'
) ENGINE = InnoDB;
