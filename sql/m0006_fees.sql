-- Fee schedules that are published. The document is the payload of the entry.
CREATE TABLE IF NOT EXISTS fee_schedule (
    name           VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    version        INT UNSIGNED NOT NULL,
    effective_from DATETIME(6)  NOT NULL COMMENT 'UTC',
    entry_id       BINARY(16)   NOT NULL COMMENT 'the entry that publishes it',
    PRIMARY KEY (name, version)
) ENGINE = InnoDB;

CREATE TRIGGER IF NOT EXISTS fee_schedule_no_update BEFORE UPDATE ON fee_schedule FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a fee schedule is never changed; publish the next version';
CREATE TRIGGER IF NOT EXISTS fee_schedule_no_delete BEFORE DELETE ON fee_schedule FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a fee schedule is never removed; publish the next version';
