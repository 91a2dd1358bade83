#include "BareClient.h"

#include <mysql.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static MYSQL *failed_connection(MYSQL *connection, char *error) {
    snprintf(error, 512, "%s", mysql_error(connection));
    mysql_close(connection);
    return NULL;
}

static const char *session = "SET SESSION tx_isolation = 'READ-COMMITTED', SESSION time_zone = '+00:00'";

static MYSQL *open_connection(bare_server server, char *error) {
    MYSQL *connection = mysql_init(NULL);
    if (!mysql_real_connect(connection, NULL, server.user, "", server.database, 0, server.socket, 0)
        || mysql_query(connection, session))
        return failed_connection(connection, error);
    return connection;
}

/* Transactions begin by themselves; COMMIT ends them. */
static MYSQL *open_writer(bare_server server, char *error) {
    MYSQL *connection = mysql_init(NULL);
    char role[256];
    snprintf(role, sizeof role, "SET ROLE '%s'", server.role);
    if (!mysql_real_connect(connection, NULL, server.writer, server.password, NULL, 0, server.socket, 0)
        || mysql_query(connection, session) || mysql_query(connection, role) || mysql_select_db(connection, server.database)
        || mysql_autocommit(connection, 0))
        return failed_connection(connection, error);
    return connection;
}

static MYSQL_STMT *prepare(MYSQL *connection, const char *sql, char *error) {
    MYSQL_STMT *statement = mysql_stmt_init(connection);
    if (mysql_stmt_prepare(statement, sql, strlen(sql))) {
        snprintf(error, 512, "%s", mysql_stmt_error(statement));
        mysql_stmt_close(statement);
        return NULL;
    }
    return statement;
}

static void bind_number(MYSQL_BIND *bind, uint64_t *value) {
    bind->buffer_type = MYSQL_TYPE_LONGLONG;
    bind->buffer = value;
    bind->is_unsigned = 1;
}

/* INSERT INTO … VALUES (row), (row) … */
static char *insert_sql(const char *head, const char *row, int rows) {
    char *sql = malloc(strlen(head) + (strlen(row) + 1) * (size_t)rows + 1);
    char *end = sql + sprintf(sql, "%s", head);
    for (int i = 0; i < rows; i++) end += sprintf(end, "%s%s", i ? "," : "", row);
    return sql;
}

#define ENTRY_HEAD "INSERT INTO `entry` (`id`, `kind`, `lines`) VALUES "
#define ENTRY_ROW "(?,?,?)"
#define POSTING "INSERT INTO `posting` (`position`, `line`, `debit`, `credit`, `amount`, `status`) VALUES (?,?,?,?,?,?)"

/* The statements of one transaction of entries with one posting each; the postings are bound as arrays. */
struct writer {
    MYSQL *connection;
    MYSQL_STMT *entry, *stamp, *posting;
    int rows;
    MYSQL_BIND *entry_binds, *posting_binds;
    unsigned char (*ids)[16];
    uint64_t *numbers[6], lines, position;
    unsigned int seed;
};

static char kind[] = "transfer";

static int writer_open(struct writer *w, bare_server server, int rows, unsigned int seed, char *error) {
    memset(w, 0, sizeof *w);
    w->rows = rows;
    w->seed = seed;
    w->lines = 1;
    if (!(w->connection = open_writer(server, error))) return 1;
    char *entry = insert_sql(ENTRY_HEAD, ENTRY_ROW, rows);
    w->entry = prepare(w->connection, entry, error);
    w->posting = prepare(w->connection, POSTING, error);
    w->stamp = prepare(
        w->connection, "SELECT recorded_at, @@auto_increment_increment FROM entry WHERE position = ?", error);
    free(entry);
    if (!w->entry || !w->posting || !w->stamp) return 1;
    w->entry_binds = calloc((size_t)rows * 3, sizeof(MYSQL_BIND));
    w->posting_binds = calloc(6, sizeof(MYSQL_BIND));
    w->ids = calloc((size_t)rows, 16);
    for (int j = 0; j < 6; j++) {
        w->numbers[j] = calloc((size_t)rows, sizeof(uint64_t));
        bind_number(w->posting_binds + j, w->numbers[j]);
    }
    unsigned int size = (unsigned int)rows;
    mysql_stmt_attr_set(w->posting, STMT_ATTR_ARRAY_SIZE, &size);
    for (int i = 0; i < rows; i++) {
        MYSQL_BIND *b = w->entry_binds + i * 3;
        b[0].buffer_type = MYSQL_TYPE_BLOB;
        b[0].buffer = w->ids[i];
        b[0].buffer_length = 16;
        b[1].buffer_type = MYSQL_TYPE_STRING;
        b[1].buffer = kind;
        b[1].buffer_length = sizeof kind - 1;
        bind_number(b + 2, &w->lines);
    }
    return 0;
}

static void writer_close(struct writer *w) {
    if (w->entry) mysql_stmt_close(w->entry);
    if (w->posting) mysql_stmt_close(w->posting);
    if (w->stamp) mysql_stmt_close(w->stamp);
    if (w->connection) mysql_close(w->connection);
    free(w->entry_binds);
    free(w->posting_binds);
    free(w->ids);
    for (int j = 0; j < 6; j++) free(w->numbers[j]);
}

static int failed(MYSQL_STMT *statement, char *error) {
    snprintf(error, 512, "%s", mysql_stmt_error(statement));
    return 1;
}

/* Inserts one chunk of w->rows entries with their postings; the caller begins and commits. */
static int writer_chunk(struct writer *w, uint32_t accounts, char *error) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t milliseconds = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    for (int i = 0; i < w->rows; i++) {
        /* As minted ids: a millisecond, a counter, and something random. */
        for (int j = 0; j < 6; j++) w->ids[i][j] = (unsigned char)(milliseconds >> (40 - 8 * j));
        for (int j = 6; j < 10; j++) w->ids[i][j] = (unsigned char)(i >> (24 - 8 * (j - 6)));
        for (int j = 10; j < 16; j++) w->ids[i][j] = (unsigned char)rand_r(&w->seed);
    }
    if (mysql_stmt_bind_param(w->entry, w->entry_binds) || mysql_stmt_execute(w->entry)) return failed(w->entry, error);
    w->position = mysql_stmt_insert_id(w->entry);
    MYSQL_BIND place, out[2];
    memset(&place, 0, sizeof place);
    bind_number(&place, &w->position);
    char recorded[64];
    uint64_t step = 1;
    memset(out, 0, sizeof out);
    out[0].buffer_type = MYSQL_TYPE_STRING;
    out[0].buffer = recorded;
    out[0].buffer_length = sizeof recorded;
    bind_number(out + 1, &step);
    if (mysql_stmt_bind_param(w->stamp, &place) || mysql_stmt_execute(w->stamp) || mysql_stmt_bind_result(w->stamp, out))
        return failed(w->stamp, error);
    while (mysql_stmt_fetch(w->stamp) == 0) {}
    mysql_stmt_free_result(w->stamp);
    for (int i = 0; i < w->rows; i++) {
        uint32_t from = (uint32_t)rand_r(&w->seed) % accounts, to = (from + 1 + (uint32_t)rand_r(&w->seed) % (accounts - 1)) % accounts;
        w->numbers[0][i] = w->position + (uint64_t)i * step;
        w->numbers[1][i] = 1;
        w->numbers[2][i] = to + 1;
        w->numbers[3][i] = from + 1;
        w->numbers[4][i] = 100;
        w->numbers[5][i] = 0;
    }
    if (mysql_stmt_bind_param(w->posting, w->posting_binds) || mysql_stmt_execute(w->posting)) return failed(w->posting, error);
    return 0;
}

static int text(MYSQL *connection, const char *sql, char *error) {
    if (!mysql_query(connection, sql)) return 0;
    snprintf(error, 512, "%s", mysql_error(connection));
    return 1;
}

struct job {
    struct writer writer;
    int posts;
    uint32_t accounts;
    char error[512];
    int failed;
};

static void *run_posts(void *argument) {
    struct job *job = argument;
    for (int i = 0; i < job->posts && !job->failed; i++)
        job->failed = writer_chunk(&job->writer, job->accounts, job->error)
            || text(job->writer.connection, "COMMIT", job->error);
    return NULL;
}

double bare_posts(bare_server server, int connections, int posts, uint32_t accounts, char *error) {
    struct job *jobs = calloc((size_t)connections, sizeof *jobs);
    pthread_t *threads = calloc((size_t)connections, sizeof *threads);
    double seconds = -1;
    for (int i = 0; i < connections; i++) {
        jobs[i].posts = posts;
        jobs[i].accounts = accounts;
        if (writer_open(&jobs[i].writer, server, 1, (unsigned)(7919 * i + time(NULL)), error)) goto end;
    }
    double start = now();
    for (int i = 0; i < connections; i++) pthread_create(threads + i, NULL, run_posts, jobs + i);
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
    seconds = now() - start;
    for (int i = 0; i < connections; i++)
        if (jobs[i].failed) {
            snprintf(error, 512, "%s", jobs[i].error);
            seconds = -1;
        }
end:
    for (int i = 0; i < connections; i++) writer_close(&jobs[i].writer);
    free(jobs);
    free(threads);
    return seconds;
}

double bare_bulk(bare_server server, int batches, int batch, uint32_t accounts, char *error) {
    /* The batch is a multiple of the chunk. */
    int chunk = batch < 1024 ? batch : 1024;
    struct writer writer;
    double seconds = -1;
    if (writer_open(&writer, server, chunk, (unsigned)time(NULL), error)) goto end;
    double start = now();
    for (int i = 0; i < batches; i++) {
        for (int j = 0; j < batch / chunk; j++)
            if (writer_chunk(&writer, accounts, error)) goto end;
        if (text(writer.connection, "COMMIT", error)) goto end;
    }
    seconds = now() - start;
end:
    writer_close(&writer);
    return seconds;
}

double bare_read(bare_server server, const char *sql, int64_t *rows, int64_t *sum, char *error) {
    MYSQL *connection = open_connection(server, error);
    if (!connection) return -1;
    MYSQL_STMT *statement = prepare(connection, sql, error);
    int64_t values[5];
    my_bool nulls[5];
    MYSQL_BIND binds[5];
    memset(binds, 0, sizeof binds);
    for (int i = 0; i < 5; i++) {
        binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
        binds[i].buffer = values + i;
        binds[i].is_null = nulls + i;
    }
    double seconds = -1, start = now();
    *rows = *sum = 0;
    if (statement && !mysql_stmt_execute(statement) && !mysql_stmt_bind_result(statement, binds)) {
        int result;
        while ((result = mysql_stmt_fetch(statement)) == 0) {
            *rows += 1;
            for (int i = 0; i < 5; i++)
                if (!nulls[i]) *sum += values[i];
        }
        if (result == MYSQL_NO_DATA) seconds = now() - start;
    }
    if (statement) {
        if (seconds < 0) failed(statement, error);
        mysql_stmt_close(statement);
    }
    mysql_close(connection);
    return seconds;
}

double bare_insert(bare_server server, const char *sql, int64_t rows, int chunk, char *error) {
    MYSQL *connection = open_connection(server, error);
    if (!connection) return -1;
    MYSQL_STMT *statement = prepare(connection, sql, error);
    int64_t *columns = malloc(sizeof(int64_t) * 5 * (size_t)chunk);
    MYSQL_BIND binds[5];
    memset(binds, 0, sizeof binds);
    for (int i = 0; i < 5; i++) {
        binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
        binds[i].buffer = columns + (size_t)i * (size_t)chunk;
    }
    double seconds = -1, start = now();
    if (!statement || text(connection, "START TRANSACTION", error)) goto end;
    for (int64_t done = 0; done < rows; done += chunk) {
        unsigned int size = (unsigned int)(rows - done < chunk ? rows - done : chunk);
        for (unsigned int i = 0; i < size; i++)
            for (int j = 0; j < 5; j++) columns[(size_t)j * (size_t)chunk + i] = done + i + j;
        mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &size);
        if (mysql_stmt_bind_param(statement, binds) || mysql_stmt_execute(statement)) {
            failed(statement, error);
            goto end;
        }
    }
    if (text(connection, "COMMIT", error)) goto end;
    seconds = now() - start;
end:
    if (statement) mysql_stmt_close(statement);
    free(columns);
    mysql_close(connection);
    return seconds;
}

double bare_statements(bare_server server, const char *const *sql, int count, char *error) {
    MYSQL *connection = open_connection(server, error);
    if (!connection) return -1;
    double start = now(), seconds = 0;
    for (int i = 0; i < count && seconds >= 0; i++)
        if (text(connection, sql[i], error)) seconds = -1;
    if (seconds >= 0) seconds = now() - start;
    mysql_close(connection);
    return seconds;
}

static int by_size(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* A buffer for each column of the result. Values that are longer than theirs are cut. */
static MYSQL_BIND *result_binds(MYSQL_STMT *statement, unsigned int *count) {
    MYSQL_RES *metadata = mysql_stmt_result_metadata(statement);
    if (!metadata) return NULL;
    *count = mysql_num_fields(metadata);
    MYSQL_BIND *binds = calloc(*count, sizeof *binds);
    for (unsigned int i = 0; i < *count; i++) {
        enum enum_field_types type = mysql_fetch_field_direct(metadata, i)->type;
        int is_number = type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_SHORT || type == MYSQL_TYPE_INT24 || type == MYSQL_TYPE_LONG
            || type == MYSQL_TYPE_LONGLONG;
        int is_time = type == MYSQL_TYPE_DATETIME || type == MYSQL_TYPE_TIMESTAMP;
        binds[i].buffer_type = is_number ? MYSQL_TYPE_LONGLONG : is_time ? MYSQL_TYPE_DATETIME : MYSQL_TYPE_STRING;
        binds[i].buffer_length = is_number ? 8 : is_time ? sizeof(MYSQL_TIME) : 256;
        binds[i].buffer = malloc(binds[i].buffer_length);
        binds[i].length = &binds[i].length_value;
        binds[i].is_null = &binds[i].is_null_value;
        binds[i].error = &binds[i].error_value;
    }
    mysql_free_result(metadata);
    return binds;
}

double bare_select_median(
    bare_server server, const char *sql, const uint64_t *parameters, int parametersPerCall, int calls, char *error) {
    MYSQL *connection = open_connection(server, error);
    if (!connection) return -1;
    MYSQL_STMT *statement = prepare(connection, sql, error);
    double median = -1, *times = calloc((size_t)calls, sizeof *times);
    unsigned int columns = 0;
    MYSQL_BIND *results = statement ? result_binds(statement, &columns) : NULL;
    for (int i = 0; results && i < calls; i++) {
        uint64_t values[2] = {0, 0};
        MYSQL_BIND binds[2];
        memset(binds, 0, sizeof binds);
        for (int j = 0; j < parametersPerCall && j < 2; j++) {
            values[j] = parameters[i * parametersPerCall + j];
            bind_number(binds + j, values + j);
        }
        double start = now();
        int result = 1;
        if (!mysql_stmt_bind_param(statement, binds) && !mysql_stmt_execute(statement) && !mysql_stmt_bind_result(statement, results))
            while ((result = mysql_stmt_fetch(statement)) == 0 || result == MYSQL_DATA_TRUNCATED) {}
        times[i] = now() - start;
        if (result != MYSQL_NO_DATA) {
            failed(statement, error);
            goto end;
        }
        mysql_stmt_free_result(statement);
    }
    if (results && calls > 0) {
        qsort(times, (size_t)calls, sizeof *times, by_size);
        median = times[calls / 2];
    }
end:
    for (unsigned int i = 0; results && i < columns; i++) free(results[i].buffer);
    free(results);
    free(times);
    if (statement) mysql_stmt_close(statement);
    mysql_close(connection);
    return median;
}
