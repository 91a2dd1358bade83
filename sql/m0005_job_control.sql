-- What operators decide about jobs, and what stopped one.

-- The newest row of a job says whether it runs; a retry lets it try again where it failed.
CREATE TABLE IF NOT EXISTS job_control (
    job        VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sequence   INT UNSIGNED NOT NULL COMMENT '1, 2, 3: the claim',
    action     ENUM ('pause', 'resume', 'retry') NOT NULL,
    decided_by VARCHAR(255) NOT NULL DEFAULT CURRENT_USER COMMENT 'by the server; nobody may name it',
    decided_at DATETIME(6)  NOT NULL DEFAULT UTC_TIMESTAMP(6),
    PRIMARY KEY (job, sequence)
) ENGINE = InnoDB;

-- A step that cannot be done: the job stands there until somebody says retry, or does the step.
CREATE TABLE IF NOT EXISTS job_failure (
    job           VARCHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    generation    INT UNSIGNED    NOT NULL,
    from_position BIGINT UNSIGNED NOT NULL COMMENT 'the checkpoint that it stands at',
    attempt       INT UNSIGNED    NOT NULL COMMENT 'job_control.sequence at the time: one row for each retry',
    position      BIGINT UNSIGNED NULL COMMENT 'the entry at fault, if it is known',
    code          VARCHAR(64)     NOT NULL,
    message       VARCHAR(2000)   NOT NULL,
    failed_at     DATETIME(6)     NOT NULL DEFAULT UTC_TIMESTAMP(6),
    PRIMARY KEY (job, generation, from_position, attempt)
) ENGINE = InnoDB;

-- Generations whose tables are there: a generation without this row is not finished, and nobody works on it.
CREATE TABLE IF NOT EXISTS generation_ready (
    job        VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    generation INT UNSIGNED NOT NULL,
    tables     VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'their names, separated by spaces',
    ready_at   DATETIME(6)  NOT NULL DEFAULT UTC_TIMESTAMP(6),
    PRIMARY KEY (job, generation),
    CONSTRAINT generation_ready_generation FOREIGN KEY (job, generation) REFERENCES generation (job, generation)
) ENGINE = InnoDB;

INSERT INTO generation_ready (job, generation, tables)
SELECT job, generation, CONCAT(job, '_g', generation) FROM generation
WHERE NOT EXISTS (SELECT 1 FROM generation_ready r WHERE r.job = generation.job AND r.generation = generation.generation);

-- Generations whose tables are gone.
CREATE TABLE IF NOT EXISTS retirement (
    job        VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    generation INT UNSIGNED NOT NULL,
    retired_at DATETIME(6)  NOT NULL DEFAULT UTC_TIMESTAMP(6),
    PRIMARY KEY (job, generation),
    CONSTRAINT retirement_generation FOREIGN KEY (job, generation) REFERENCES generation (job, generation)
) ENGINE = InnoDB;

CREATE TRIGGER IF NOT EXISTS job_control_no_update BEFORE UPDATE ON job_control FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a decision is never changed; a newer one follows it';
CREATE TRIGGER IF NOT EXISTS job_control_no_delete BEFORE DELETE ON job_control FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a decision is never removed; a newer one follows it';
CREATE TRIGGER IF NOT EXISTS job_failure_no_update BEFORE UPDATE ON job_failure FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a failure is never changed';
CREATE TRIGGER IF NOT EXISTS job_failure_no_delete BEFORE DELETE ON job_failure FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a failure is never removed';
CREATE TRIGGER IF NOT EXISTS generation_ready_no_update BEFORE UPDATE ON generation_ready FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a generation is never changed';
CREATE TRIGGER IF NOT EXISTS generation_ready_no_delete BEFORE DELETE ON generation_ready FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a generation is never removed by a statement';
CREATE TRIGGER IF NOT EXISTS retirement_no_update BEFORE UPDATE ON retirement FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a retirement is never changed';
CREATE TRIGGER IF NOT EXISTS retirement_no_delete BEFORE DELETE ON retirement FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a retirement is never taken back; rebuild';
