/* Groups of a log: the names of cursors and takes, and what consumers find between the steps of others. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/group_name.h"
#include "mq.h"
#include "unit.h"

#define BUCKET 4096
#define CURSOR "0000000000000003.00000000000000ab.0000000000000002"
#define TAKEN CURSOR ".0000000000000001.0000000000000002.00000000000000cd"

static char *spool;
static const struct mq_receive_options at_once = {.wait = 0, .cancel_fd = -1};

/* ---- names --------------------------------------------------------------------------------- */

static void names_say_what_was_put_in(void)
{
    char text[GROUP_NAME_SIZE];
    struct group_place place = {.next = 3, .mark = 0xab, .missed = 2}, parsed = {0};
    group_name_format(&place, text);
    EXPECT_TEXT(text, CURSOR);
    EXPECT(group_name_parse(text, &parsed) && parsed.next == 3 && parsed.mark == 0xab && parsed.missed == 2);
    EXPECT(!parsed.is_take && !group_name_parse_take(text, &parsed));
    place.is_take = true;
    place.entry = 1;
    place.first = 2;
    place.base = 0xcd;
    group_name_format(&place, text);
    EXPECT_TEXT(text, TAKEN);
    EXPECT(group_name_parse(text, &parsed) && parsed.is_take && parsed.entry == 1 && parsed.first == 2);
    group_name_format_take(&place, text);
    EXPECT_TEXT(text, "take-" TAKEN);
    EXPECT(group_name_parse_take(text, &parsed) && parsed.base == 0xcd && !group_name_parse(text, &parsed));
}

static void other_names_are_none(void)
{
    static const char *const wrong[] = {"",
                                        "take-",
                                        CURSOR ".",
                                        CURSOR "0",
                                        CURSOR ".0000000000000001",
                                        "0" CURSOR,
                                        TAKEN ".0000000000000001",
                                        "take-take-" TAKEN,
                                        CURSOR "/",
                                        "0000000000000003.00000000000000AB.0000000000000002",
                                        "8000000000000000.00000000000000ab.0000000000000002"};
    struct group_place place;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        EXPECT(!group_name_parse(wrong[i], &place) && !group_name_parse_take(wrong[i], &place));
    EXPECT(!group_name_parse_take(TAKEN, &place) && !group_name_parse_take("take-" CURSOR, &place));
}

static void positions_are_offsets(void)
{
    const uint64_t offsets[] = {0, 1, BUCKET, (UINT64_C(1) << GROUP_POSITION_BIT) - 1};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        const uint64_t position = group_name_position(offsets[i]);
        EXPECT(group_name_has_offset(position) && group_name_offset(position) == offsets[i]);
    }
    EXPECT(!group_name_has_offset(UINT64_C(0x56612af28e37f500)));
}

/* ---- a log with a group ---------------------------------------------------------------------- */

static void append(const char *name, size_t count, size_t batch)
{
    const struct mq_send_options options = {.cancel_fd = -1, .no_sync = true, .batch = batch};
    struct iovec *bodies = calloc(count, sizeof *bodies);
    size_t sent = 0;
    mq_log *log;
    mq_message *message;
    for (size_t i = 0; i < count; i++)
        bodies[i] = (struct iovec){(void *)(uintptr_t) "x", 1};
    EXPECT(mq_log_create(spool, name) >= 0 && mq_log_open(spool, name, &log) == 0 && mq_message_new(&message) == 0);
    EXPECT(mq_log_send_bodies(log, NULL, message, bodies, count, &options, NULL, NULL, &sent) == 0 && sent == count);
    mq_message_free(message);
    mq_log_close(log);
    free(bodies);
}

static mq_queue *open_group(const char *name, uint64_t from)
{
    mq_queue *group;
    EXPECT(mq_group_create(spool, name, from) >= 0 && mq_open(spool, name, 0, &group) == 0);
    return group;
}

/* The offset of the next message, which is acked; MQ_NO_OFFSET: there is none. */
static uint64_t take(mq_queue *group)
{
    uint64_t offset = MQ_NO_OFFSET;
    mq_message *message;
    const int got = mq_receive(group, &at_once, &message);
    if (got != 1) {
        EXPECT(got == 0);
        return MQ_NO_OFFSET;
    }
    EXPECT(mq_message_offset(message, &offset) == 1 && mq_ack(group, mq_message_receipt(message)) == 0);
    mq_message_free(message);
    return offset;
}

static void entries_are_taken_in_order(void)
{
    append("taken", 3, 3);
    append("taken", 2, 1);
    mq_queue *one = open_group("taken/g", 0), *other = open_group("taken/g", 0);
    for (uint64_t next = 0; next < 5; next++)
        EXPECT(take(next % 2 ? one : other) == next);
    EXPECT(take(one) == MQ_NO_OFFSET && take(other) == MQ_NO_OFFSET);
    append("taken", 1, 1);
    EXPECT(take(one) == 5);
    mq_close(one);
    mq_close(other);
}

/* Also into the middle of an entry, and while another handle has read the cursor already. */
static void seek_moves_all_handles(void)
{
    uint64_t from;
    append("sought", 4, 4);
    mq_queue *group = open_group("sought/g", 0);
    for (uint64_t next = 0; next < 4; next++)
        EXPECT(take(group) == next);
    EXPECT(mq_group_seek(spool, "sought/g", 2, &from) == 0 && from == 4);
    EXPECT(take(group) == 2 && take(group) == 3 && take(group) == MQ_NO_OFFSET);
    EXPECT(mq_group_seek(spool, "sought/g", 0, &from) == 0 && from == 4);
    EXPECT(mq_group_seek(spool, "sought/g", 4, &from) == 0 && from == 0);
    EXPECT(take(group) == MQ_NO_OFFSET);
    from = 77;
    EXPECT(mq_group_seek(spool, "sought/g", 5, &from) == -ERANGE && from == 77);
    EXPECT(mq_group_seek(spool, "sought/none", 0, &from) == -ENOENT);
    mq_close(group);
}

/* A group whose place was removed goes on at the beginning. */
static void who_is_overtaken_is_told(void)
{
    uint64_t removed;
    mq_log *log;
    struct mq_stats stats;
    append("old", 1, 1);
    mq_queue *group = open_group("old/g", 0);
    append("old", 2 * BUCKET, BUCKET);
    EXPECT(mq_log_config_set(spool, "old", "retain-count", "1") == 0);
    EXPECT(mq_log_open(spool, "old", &log) == 0);
    EXPECT(mq_log_trim(log, &removed) == 0 && removed == 0); /* it keeps what is unread */
    EXPECT(mq_log_config_set(spool, "old", "keep-unread", "no") == 0);
    EXPECT(mq_log_trim(log, &removed) == 0 && removed > 0);
    mq_log_close(log);
    const uint64_t first = take(group);
    EXPECT(first >= BUCKET && mq_group_overtaken(group) == first);
    EXPECT(mq_stat(group, false, &stats) == 0 && stats.is_group && stats.missed == first && stats.next > first);
    mq_close(group);
}

/* ---- between the steps of others --------------------------------------------------------------- */

static void path_in(const char *part, char ret_path[512])
{
    snprintf(ret_path, 512, "%s/steps/groups/g/%s", spool, part);
}

/* The one name in cursor/. */
static void read_cursor(char ret_name[256])
{
    char path[512];
    path_in("cursor", path);
    DIR *dir = opendir(path);
    ret_name[0] = '\0';
    for (struct dirent *entry; EXPECT(dir) && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            snprintf(ret_name, 256, "%s", entry->d_name);
    closedir(dir);
}

static void link_entry(const char *entry, const struct group_place *place, char ret_take[512])
{
    char from[512], name[GROUP_NAME_SIZE], part[300];
    snprintf(from, sizeof from, "%s/steps/log/0000000000000/%s", spool, entry);
    group_name_format_take(place, name);
    snprintf(part, sizeof part, "tmp/%s", name);
    path_in(part, ret_take);
    EXPECT(link(from, ret_take) == 0);
}

static void move_cursor(const char *from, const struct group_place *to)
{
    char old[512], new[512], part[300], name[GROUP_NAME_SIZE];
    snprintf(part, sizeof part, "cursor/%s", from);
    path_in(part, old);
    group_name_format(to, name);
    snprintf(part, sizeof part, "cursor/%s", name);
    path_in(part, new);
    EXPECT(rename(old, new) == 0);
}

/* A process links an entry, and is stopped. What it is about to do fails when others have moved the cursor; before that the
   link is kept, and afterwards it is swept. If it has moved the cursor, others finish the take. */
static void takes_go_by_the_mark_of_the_cursor(void)
{
    char cursor[256], early[512], late[512];
    struct group_place at;
    struct mq_swept swept;
    append("steps", 3, 1);
    mq_queue *group = open_group("steps/g", 0);
    read_cursor(cursor);
    EXPECT(group_name_parse(cursor, &at) && at.next == 0);
    const struct group_place first = {.next = 1, .mark = 11, .is_take = true, .base = at.mark};
    link_entry("0000000000000000", &first, early);
    EXPECT(mq_sweep(group, &swept) == 0 && access(early, F_OK) == 0); /* its base is the cursor */
    EXPECT(take(group) == 0);                                         /* by another process */
    EXPECT(mq_sweep(group, &swept) == 0 && access(early, F_OK) < 0);
    read_cursor(cursor);
    EXPECT(group_name_parse(cursor, &at) && at.next == 1 && at.mark != 11);
    const struct group_place second = {.next = 2, .mark = 22, .is_take = true, .entry = 1, .first = 1, .base = at.mark};
    link_entry("0000000000000001", &second, late);
    move_cursor(cursor, &second);
    EXPECT(take(group) == 1 && access(late, F_OK) < 0); /* decided, and finished by whoever came next */
    EXPECT(take(group) == 2 && take(group) == MQ_NO_OFFSET);
    mq_close(group);
}

int main(void)
{
    static const char *const logs[] = {"taken", "sought", "old", "steps"};
    names_say_what_was_put_in();
    other_names_are_none();
    positions_are_offsets();
    spool = unit_directory();
    entries_are_taken_in_order();
    seek_moves_all_handles();
    who_is_overtaken_is_told();
    takes_go_by_the_mark_of_the_cursor();
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        EXPECT(mq_log_delete(spool, logs[i], true) == 0);
    EXPECT(rmdir(spool) == 0);
    free(spool);
    return unit_failures > 0;
}
