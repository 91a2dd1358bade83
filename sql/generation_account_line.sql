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
    PRIMARY KEY (account, position, line),
    KEY account_line_g{generation}_effective (account, effective_at, position, line)
) ENGINE = InnoDB;
