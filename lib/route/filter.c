/* Selecting messages as bindings do. */
#include <errno.h>
#include <stdlib.h>

#include "route/bindings.h"

struct mq_filter {
    struct binding headers; /* has_headers */
    bool has_headers;
    size_t pattern_count;
    struct binding patterns[];
};

void mq_filter_free(mq_filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->pattern_count; i++)
        binding_release(&filter->patterns[i]);
    if (filter->has_headers)
        binding_release(&filter->headers);
    free(filter);
}

static int fill(mq_filter *filter, const char *const *patterns, size_t pattern_count, const char *const *headers,
                size_t header_count, bool any)
{
    char problem[BINDINGS_PROBLEM_SIZE];
    int error = 0;
    for (size_t i = 0; i < pattern_count && !error; i++) {
        error = binding_make(BINDING_KEY, "_", &patterns[i], 1, &filter->patterns[i], problem);
        filter->pattern_count += !error;
    }
    if (!error && header_count > 0) {
        error = binding_make(any ? BINDING_ANY : BINDING_ALL, "_", headers, header_count, &filter->headers, problem);
        filter->has_headers = !error;
    }
    return error;
}

int mq_filter_new(const char *const *patterns, size_t pattern_count, const char *const *headers, size_t header_count,
                  bool any, mq_filter **ret_filter)
{
    mq_filter *filter = calloc(1, sizeof *filter + pattern_count * sizeof *filter->patterns);
    if (!filter)
        return -ENOMEM;
    const int error = fill(filter, patterns, pattern_count, headers, header_count, any);
    if (error)
        mq_filter_free(filter);
    else
        *ret_filter = filter;
    return error;
}

bool mq_filter_takes(const mq_filter *filter, const mq_message *message)
{
    const char *key = mq_message_header(message, MQ_ROUTING_KEY);
    bool takes = filter->pattern_count == 0;
    for (size_t i = 0; i < filter->pattern_count && !takes; i++)
        takes = binding_matches(&filter->patterns[i], key, message);
    return takes && (!filter->has_headers || binding_matches(&filter->headers, key, message));
}
