/*
 * Packing: a full bucket of many small entries is replaced by an equal one of few.
 *
 *     lock        the bucket's number for reading, so that nobody empties what is read here
 *     make        a bucket beside it, in removed/, where it is removed if this process dies
 *     sync        its files and itself, whatever the log's durability is
 *     exchange    the two names: which decides; then log/ is synced
 *     empty       the old one, as what retention has taken out
 *
 * Each message keeps its bytes and its offset. tests/model/log.pml is the proof (PACKER).
 */
#ifndef MQ_PACK_H
#define MQ_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Pack the buckets that lie before the offset `limit`, of these the last `most`. How many were packed is added to
   `packed`; the old ones are in removed/ then (log_clear_removed). */
int log_pack(int dir, uint64_t limit, size_t most, uint64_t *packed);

#endif
