/* How far a group is behind its log. */
#include "log/group_figures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs_error.h"
#include "log/chain.h"
#include "log/end.h"
#include "log/group.h"
#include "log/group_feed.h"

/* When the entry of an offset was appended. */
static int64_t moment_of(int log, uint64_t offset)
{
    struct chain_place place;
    struct stat status;
    int64_t moment = 0;
    if (chain_read_moment(log, offset, &moment) == 0)
        return moment;
    if (chain_locate(log, offset, &place) == 0 && place.file >= 0 && fstat(place.file, &status) == 0)
        moment = clock_of_file(&status.st_mtim);
    chain_leave(&place);
    return moment;
}

static int look(int log, struct group_figures *figures)
{
    struct hint hint = {.file = -1};
    uint64_t begin, end = 0;
    int error = chain_beginning(log, &begin);
    if (!error)
        error = log_find_end(log, &hint, &end);
    if (hint.file >= 0)
        close(hint.file);
    if (error)
        return error;
    const uint64_t from = figures->next > begin ? figures->next : begin;
    figures->unread = end > from ? end - from : 0;
    figures->next_at = figures->unread > 0 ? moment_of(log, from) : 0;
    return 0;
}

/* What a process that died had decided to take, and nobody has finished yet. */
static int count_taken(int group_dir, const struct group_place *place, uint64_t *ret_count)
{
    char take[GROUP_NAME_SIZE], path[sizeof "tmp/" + GROUP_NAME_SIZE];
    struct stat status;
    group_name_format_take(place, take);
    snprintf(path, sizeof path, "tmp/%s", take);
    *ret_count = 0;
    if (!place->is_take || fstatat(group_dir, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return place->is_take ? fs_error_unless_gone() : 0;
    if (S_ISDIR(status.st_mode)) {
        const int error = group_feed_count(group_dir, path, ret_count);
        return error == -ENOENT ? 0 : error;
    }
    *ret_count = place->next - place->first;
    return 0;
}

int group_look(const mq_queue *queue, struct group_figures *ret_figures)
{
    struct group_place place;
    const int read = group_read_place(queue->dir, &place);
    const int log = read ? read : group_open_log(queue->dir);
    if (log < 0)
        return log;
    struct group_figures figures = {.next = place.next, .missed = place.missed};
    uint64_t taken = 0;
    int error = look(log, &figures);
    close(log);
    if (!error)
        error = count_taken(queue->dir, &place, &taken);
    figures.unread += taken;
    if (!error)
        *ret_figures = figures;
    return error;
}
