-- The record of migrations. A `started` row without a `finished` one is a migration that stopped in the middle.

CREATE TABLE IF NOT EXISTS migration_started (
    number     INT UNSIGNED    NOT NULL,
    attempt    INT UNSIGNED    NOT NULL,
    name       VARCHAR(128)    NOT NULL,
    checksum   BINARY(32)      NOT NULL COMMENT 'SHA-256 of the file',
    connection BIGINT UNSIGNED NOT NULL COMMENT 'who runs it: CONNECTION_ID()',
    started_at DATETIME(6)     NOT NULL DEFAULT UTC_TIMESTAMP(6),
    PRIMARY KEY (number, attempt)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS migration_finished (
    number      INT UNSIGNED NOT NULL PRIMARY KEY,
    attempt     INT UNSIGNED NOT NULL,
    finished_at DATETIME(6)  NOT NULL DEFAULT UTC_TIMESTAMP(6)
) ENGINE = InnoDB;

CREATE TRIGGER IF NOT EXISTS migration_started_no_update BEFORE UPDATE ON migration_started FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: the record of migrations is never changed';
CREATE TRIGGER IF NOT EXISTS migration_started_no_delete BEFORE DELETE ON migration_started FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: the record of migrations is never changed';
CREATE TRIGGER IF NOT EXISTS migration_finished_no_update BEFORE UPDATE ON migration_finished FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: the record of migrations is never changed';
CREATE TRIGGER IF NOT EXISTS migration_finished_no_delete BEFORE DELETE ON migration_finished FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: the record of migrations is never changed';
