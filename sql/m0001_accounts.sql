-- Currencies and accounts: what never changes of them. Rows are inserted once, with the entry that tells of it.

CREATE TABLE IF NOT EXISTS currency (
    code     VARCHAR(16)      NOT NULL PRIMARY KEY,
    exponent TINYINT UNSIGNED NOT NULL COMMENT 'decimals of the minor unit',
    CONSTRAINT currency_exponent CHECK (exponent <= 18)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS account (
    id       INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    path     VARCHAR(255) NOT NULL COMMENT 'customers:alice',
    currency VARCHAR(16)  NOT NULL,
    type     ENUM ('asset', 'liability', 'equity', 'income', 'expense') NOT NULL,
    UNIQUE KEY account_path_currency (path, currency),
    CONSTRAINT account_currency FOREIGN KEY (currency) REFERENCES currency (code)
) ENGINE = InnoDB;

CREATE TRIGGER IF NOT EXISTS currency_no_update BEFORE UPDATE ON currency FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a currency is never changed';
CREATE TRIGGER IF NOT EXISTS currency_no_delete BEFORE DELETE ON currency FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: a currency is never removed';
CREATE TRIGGER IF NOT EXISTS account_no_update BEFORE UPDATE ON account FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: an account is never changed';
CREATE TRIGGER IF NOT EXISTS account_no_delete BEFORE DELETE ON account FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'indelible: an account is never removed';
