-- Streams: the entries about one thing. Who claims the next revision of a stream acts next on it; entries that claim none are of it too, and
-- conflict with nobody. The payload of each entry says the same (member `ledger`), so the journal alone tells the whole story.
CREATE TABLE IF NOT EXISTS stream_entry (
    stream   VARCHAR(200)    NOT NULL COMMENT 'category:id',
    entry_id BINARY(16)      NOT NULL COMMENT 'entry.id, inserted in the same transaction',
    revision BIGINT UNSIGNED NULL COMMENT '1, 2, 3: the claim; NULL: none',
    PRIMARY KEY (stream, entry_id),
    UNIQUE KEY stream_revision (stream, revision),
    CONSTRAINT stream_entry_revision CHECK (revision > 0)
) ENGINE = InnoDB;

CREATE TRIGGER IF NOT EXISTS stream_entry_no_update BEFORE UPDATE ON stream_entry FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: the place of an entry in its stream is never changed';
CREATE TRIGGER IF NOT EXISTS stream_entry_no_delete BEFORE DELETE ON stream_entry FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: an entry is never removed from its stream';
