#ifndef BARE_CLIENT_H
#define BARE_CLIENT_H

#include <stdint.h>

/* The C client of MariaDB with nothing around it: the bounds that `indelible bench` compares with. Each function connects over
   the unix socket, does its work and returns the seconds that the work took; less than 0 means that it failed, with the
   reason in `error` (512 bytes). */

typedef struct {
    const char *socket;
    const char *user;
    const char *database;
    /* Who posts, as a ledger does: a login with this password that has its rights by a role, column by column. */
    const char *writer;
    const char *password;
    const char *role;
} bare_server;

/* `connections` threads, each posting `posts` entries of one posting, one transaction each: the statements of Ledger.post. */
double bare_posts(bare_server server, int connections, int posts, uint32_t accounts, char *error);

/* `batches` transactions of `batch` entries of one posting on one connection: the statements of Ledger.post for a batch. */
double bare_bulk(bare_server server, int batches, int batch, uint32_t accounts, char *error);

/* Reads a result of five integer columns row by row; adds all values up. */
double bare_read(bare_server server, const char *sql, int64_t *rows, int64_t *sum, char *error);

/* Inserts `rows` rows of five integers with array binding, `chunk` rows an execution, one transaction. */
double bare_insert(bare_server server, const char *sql, int64_t rows, int chunk, char *error);

/* Runs statements one after the other, each committing by itself. */
double bare_statements(bare_server server, const char *const *sql, int count, char *error);

/* Prepares a SELECT with one or two integer parameters, executes it `calls` times, each with the next of `parameters`, and fetches
   all its rows; returns the median of the seconds of a call. */
double bare_select_median(
    bare_server server, const char *sql, const uint64_t *parameters, int parametersPerCall, int calls, char *error);

#endif
