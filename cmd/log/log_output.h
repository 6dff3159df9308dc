/*
 * Records for standard output, which is written many at once.
 *
 *     log_output_add(output, data, size); … log_output_end(output);       a record, in parts
 *     log_output_add_records(output, data, size, separator);             whole records
 *     log_output_flush(output);
 *
 * Calls return 0 or a negative errno. A signal ends a write that waits for its reader, with -ECANCELED, but not within a
 * record: the rest of the record is still written. Only a second signal leaves it torn.
 */
#ifndef LOG_OUTPUT_H
#define LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

struct log_output;

struct log_output *log_output_new(int cancel_fd);
void log_output_free(struct log_output *output);

int log_output_add(struct log_output *output, const char *data, size_t size);
int log_output_end(struct log_output *output);

/* Records that each end with the separator. */
int log_output_add_records(struct log_output *output, const char *data, size_t size, char separator);

int log_output_flush(struct log_output *output);

/* The signal that came within a record, and was taken from cancel_fd; 0: none. */
int log_output_signal(const struct log_output *output);

/* Whether only a part of a record was written. */
bool log_output_is_torn(const struct log_output *output);

/* Whether a write has failed. */
bool log_output_has_failed(const struct log_output *output);

#endif
