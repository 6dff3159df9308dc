/* Where in a log: what --from and --to take. */
#ifndef WHERE_H
#define WHERE_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

/* Parse `beginning`, `end`, an offset, `-N` messages before the end, a moment (RFC 3339 or @SECONDS), or an age such as
   2h. False: it is none of them. */
enum where_kind { WHERE_BEGINNING, WHERE_END, WHERE_OFFSET, WHERE_BACK, WHERE_MOMENT };
struct where {
    enum where_kind kind;
    uint64_t number; /* the offset, or how many */
    int64_t moment;
};
bool where_parse(const char *text, struct where *ret_where);

/* The same for an option, or end the program with what is wrong. */
struct argp_state;
void where_take(const struct argp_state *state, const char *option, const char *text, struct where *ret_where);

/* The offset that is meant. An exit status; an offset that the log does not have is reported. */
int where_find(const struct where *where, mq_log *log, const char *option, uint64_t *ret_offset);

#endif
