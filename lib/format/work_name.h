/* The names of what is no message: buckets that are being made, marks that messages are done, FIFOs. name.h has the rest. */
#ifndef MQ_WORK_NAME_H
#define MQ_WORK_NAME_H

#include "format/name.h"

/* A directory in tmp/ that will become a bucket. */
void name_format_new_bucket(uint64_t random, char text[NAME_NEW_BUCKET_SIZE]);
bool name_is_new_bucket(const char *text);

/* A bucket of done/: the moment it begins. Its width is the smallest power of two of microseconds that is no shorter
   than the window. */
void name_format_done_bucket(int64_t moment, int64_t window, char text[NAME_BUCKET_SIZE]);
bool name_parse_done_bucket(const char *text, int64_t *ret_start);
int64_t name_done_width(int64_t window);

/* The FIFO of a process that waits. A leading dot hides it until the process has opened it. */
/* The number of a waiter says which process it is; the bits below tell it from others. */
uint64_t name_waiter_number(uint32_t process, uint64_t bits);
uint32_t name_waiter_process(uint64_t number);

void name_format_waiter(uint64_t number, char text[NAME_WAITER_SIZE]);
bool name_parse_waiter(const char *text, uint64_t *ret_number);
bool name_is_waiter(const char *text);

/* The FIFO that senders write to when the leader of the receivers sleeps. */
#define NAME_BELL "bell"

#endif
