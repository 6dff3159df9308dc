/*
 * What a handle knows of the lane that it has looked into last: the messages of its first bucket, so that a large lane is
 * not listed for every message. lane_first.c fills it and uses it.
 */
#ifndef MQ_LANE_KEPT_H
#define MQ_LANE_KEPT_H

#include "format/lane_name.h"
#include "store/bucket.h"

struct lane_kept {
    char key[LANE_KEY_SIZE];
    char bucket[NAME_BUCKET_SIZE];
    unsigned openings; /* of the handle */
    struct listing files, buckets;
    size_t at, end; /* what is left of the files; nothing, if there is no such bucket */
};

void lane_kept_free(struct lane_kept *kept);

#endif
