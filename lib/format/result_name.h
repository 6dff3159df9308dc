/*
 * The names of results: the files in results/BUCKET/ that keep what a command printed and how it ended.
 *
 *     BEGUN.ID.aN.kTOKEN                                            its standard output, while it runs
 *     BEGUN.ID.aN.kTOKEN.err                                        its standard error, if it wrote any
 *     BEGUN.ID.aN.kTOKEN.dENDED.xSTATUS.sSIGNAL.vOUTCOME.oBYTES.eBYTES[.c]
 *                                                                   its standard output, once it has ended
 *
 * BEGUN and ENDED are moments, 13 hexadecimal digits of microseconds; a bucket is BEGUN with the low 32 bits zero. N counts
 * attempts. TOKEN, 8 random hexadecimal digits, tells results of one moment apart. STATUS is -1 if the command died of a
 * signal. OUTCOME is the number of an mq_outcome. The two BYTES say how much was kept of either stream; `c`: not all of it.
 */
#ifndef MQ_RESULT_NAME_H
#define MQ_RESULT_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "format/name.h"
#include "mq.h"

#define RESULT_NAME_DIR "results"
#define RESULT_NAME_SIZE 224 /* the longest name and its NUL */

enum result_kind { RESULT_UNFINISHED, RESULT_FINISHED, RESULT_ERRORS };

struct result_name {
    enum result_kind kind;
    int64_t begun;
    char id[MQ_ID_SIZE];
    uint32_t attempt;
    uint64_t token;
    /* of RESULT_FINISHED */
    int64_t ended;
    int exit_status; /* -1: none */
    int signal;      /* 0: none */
    enum mq_outcome outcome;
    uint64_t bytes[MQ_STREAMS];
    bool cut;
};

bool result_name_parse(const char *text, struct result_name *ret_name);
void result_name_format(const struct result_name *name, char text[RESULT_NAME_SIZE]);

/* Whether two names are of one result. */
bool result_name_is_same(const struct result_name *one, const struct result_name *other);

/* The bucket that a result begun at this moment belongs in. */
void result_name_format_bucket(int64_t begun, char text[NAME_BUCKET_SIZE]);
bool result_name_is_bucket(const char *text);

#endif
