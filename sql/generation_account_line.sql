-- One generation of the projection "account_line"; {generation} is its number. A row is one side of one posting: a line of its
-- account's history.

CREATE TABLE IF NOT EXISTS account_line_g{generation} (
    account      INT UNSIGNED      NOT NULL,
    position     BIGINT UNSIGNED   NOT NULL,
    line         SMALLINT UNSIGNED NOT NULL,
    side         TINYINT UNSIGNED  NOT NULL COMMENT '0 debit, 1 credit',
    counterpart  INT UNSIGNED      NOT NULL COMMENT 'account.id of the other side',
    amount       BIGINT UNSIGNED   NOT NULL COMMENT 'minor units',
    status       TINYINT UNSIGNED  NOT NULL COMMENT '0 posted, 1 pending, 2 released',
    effective_at DATETIME(6)       NOT NULL COMMENT 'UTC',
    balance      DECIMAL(38, 0)    NOT NULL COMMENT 'posted debits less posted credits, with this line and all before it',
    late         TINYINT UNSIGNED  NOT NULL COMMENT '1: a line before it counts later',
    PRIMARY KEY (account, position, line)
) ENGINE = InnoDB;

-- The late lines in the order in which they count. Those that are not late count in the order of the primary key above.
CREATE TABLE IF NOT EXISTS account_line_late_g{generation} (
    account      INT UNSIGNED      NOT NULL,
    effective_at DATETIME(6)       NOT NULL COMMENT 'UTC',
    position     BIGINT UNSIGNED   NOT NULL,
    line         SMALLINT UNSIGNED NOT NULL,
    PRIMARY KEY (account, effective_at, position, line)
) ENGINE = InnoDB;
