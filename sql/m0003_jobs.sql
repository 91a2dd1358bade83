-- Jobs: their generations, which one is live (the newest row says), and how far each got.

CREATE TABLE IF NOT EXISTS generation (
    job         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    generation  INT UNSIGNED NOT NULL,
    fingerprint BINARY(32)   NOT NULL COMMENT 'SHA-256 of the definition that its rows are computed by',
    created_at  DATETIME(6)  NOT NULL DEFAULT UTC_TIMESTAMP(6),
    PRIMARY KEY (job, generation)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS live (
    job         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sequence    INT UNSIGNED NOT NULL COMMENT '1, 2, 3: each switch is a row',
    generation  INT UNSIGNED NOT NULL,
    switched_at DATETIME(6)  NOT NULL DEFAULT UTC_TIMESTAMP(6),
    PRIMARY KEY (job, sequence),
    CONSTRAINT live_generation FOREIGN KEY (job, generation) REFERENCES generation (job, generation)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS checkpoint (
    job              VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    generation       INT UNSIGNED    NOT NULL,
    from_position    BIGINT UNSIGNED NOT NULL COMMENT 'the claim: who inserts this row does the step after it',
    through_position BIGINT UNSIGNED NOT NULL,
    entries          BIGINT UNSIGNED NOT NULL COMMENT 'proof: entries up to through_position',
    postings         BIGINT UNSIGNED NOT NULL COMMENT 'proof: their postings',
    hash             BINARY(32)      NOT NULL COMMENT 'proof: running SHA-256 over them',
    recorded_at      DATETIME(6)     NOT NULL DEFAULT UTC_TIMESTAMP(6),
    PRIMARY KEY (job, generation, from_position),
    CONSTRAINT checkpoint_forward CHECK (through_position > from_position),
    CONSTRAINT checkpoint_generation FOREIGN KEY (job, generation) REFERENCES generation (job, generation)
) ENGINE = InnoDB;

CREATE TRIGGER IF NOT EXISTS generation_no_update BEFORE UPDATE ON generation FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a generation is never changed';
CREATE TRIGGER IF NOT EXISTS generation_no_delete BEFORE DELETE ON generation FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a generation is never removed by a statement';
CREATE TRIGGER IF NOT EXISTS live_no_update BEFORE UPDATE ON live FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a switch is never changed; insert the next one';
CREATE TRIGGER IF NOT EXISTS live_no_delete BEFORE DELETE ON live FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a switch is never removed; insert the next one';
CREATE TRIGGER IF NOT EXISTS checkpoint_no_update BEFORE UPDATE ON checkpoint FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a checkpoint is never changed';
CREATE TRIGGER IF NOT EXISTS checkpoint_no_delete BEFORE DELETE ON checkpoint FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a checkpoint is never removed';
