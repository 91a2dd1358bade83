-- Fees: what each entry is charged, by account and schedule, and the totals of each month.

-- The newest row of an entry, an account and a schedule says what the fee is, those before are what it was. A row is added when
-- something that came later makes it another.
CREATE TABLE IF NOT EXISTS fee_g{generation} (
    account         INT UNSIGNED    NOT NULL COMMENT 'who is charged',
    schedule        VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    effective_at    DATETIME(6)     NOT NULL COMMENT 'of the entry',
    id              BINARY(16)      NOT NULL COMMENT 'entry.id',
    through         BIGINT UNSIGNED NOT NULL COMMENT 'it follows from the journal through this position',
    position        BIGINT UNSIGNED NOT NULL COMMENT 'of the entry',
    version         INT UNSIGNED    NOT NULL COMMENT 'of the schedule, 0: it is not charged any more, all that follows is 0',
    rule            SMALLINT UNSIGNED NOT NULL COMMENT '1, 2, 3 of the version',
    amount          DECIMAL(27, 0)  NOT NULL COMMENT 'minor units that are charged',
    slices          VARCHAR(1500)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'step:amount of each slice, separated by spaces, empty without tiers',
    percentage      DECIMAL(27, 0)  NOT NULL COMMENT 'minor units, rounded',
    rounding        INT             NOT NULL COMMENT 'what rounding added to it, in 1/100,000,000 of a minor unit',
    fixed           DECIMAL(27, 0)  NOT NULL COMMENT 'minor units',
    bounded         DECIMAL(27, 0)  NOT NULL COMMENT 'minor units that minimum or maximum added',
    waiver          SMALLINT UNSIGNED NOT NULL COMMENT '1, 2, 3 of the rule, 0: none',
    waived          DECIMAL(27, 0)  NOT NULL COMMENT 'minor units, rounded',
    waived_rounding INT             NOT NULL COMMENT 'what rounding added to it, in 1/100,000,000 of a minor unit',
    fee             DECIMAL(27, 0)  NOT NULL COMMENT 'minor units: percentage + fixed + bounded - waived',
    PRIMARY KEY (account, schedule, effective_at, id, through)
) ENGINE = InnoDB;

-- The newest row of an account, a schedule and a month has its totals.
CREATE TABLE IF NOT EXISTS fee_month_g{generation} (
    month       DATE            NOT NULL COMMENT 'its first day',
    schedule    VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    account     INT UNSIGNED    NOT NULL,
    through     BIGINT UNSIGNED NOT NULL COMMENT 'it follows from the journal through this position',
    charged     BIGINT UNSIGNED NOT NULL COMMENT 'entries that are charged',
    volume      DECIMAL(38, 0)  NOT NULL COMMENT 'minor units that they count',
    fees        DECIMAL(38, 0)  NOT NULL COMMENT 'minor units',
    waived      DECIMAL(38, 0)  NOT NULL COMMENT 'minor units',
    assessments INT UNSIGNED    NOT NULL COMMENT 'entries that posted fees',
    assessed    DECIMAL(38, 0)  NOT NULL COMMENT 'minor units that they posted, those that are reversed do not count',
    PRIMARY KEY (month, schedule, account, through)
) ENGINE = InnoDB;
