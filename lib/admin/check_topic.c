/* Checking a topic: finding what lies in it and does not belong there, and what its files say that cannot be. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/check_sent.h"
#include "admin/finding.h"
#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/fs_list.h"
#include "format/sent_name.h"
#include "format/spool_name.h"
#include "format/work_name.h"
#include "queue/sent_slots.h"
#include "route/topic.h"
#include "store/access.h"

#define TMP "tmp"
#define HOST "host"
#define PROBLEM_SIZE (MQ_QUEUE_NAME_SIZE + 64)

/* ---- what lies there ------------------------------------------------------------------------ */

/* `bindings` makes it a topic: if it is no file, reading it says so, and it stays. */
static int check_part(void *context, const char *name, unsigned char type)
{
    const bool is_dir = strcmp(name, TOPIC_FEED) == 0 || strcmp(name, "aside") == 0;
    const bool is_file = strcmp(name, TOPIC_SETTINGS) == 0 || strcmp(name, FS_LOCK_FILE) == 0;
    if (strcmp(name, TOPIC_BINDINGS) == 0 || (type == DT_DIR && is_dir) || (type == DT_REG && is_file))
        return 0;
    return finding_report(context, "", name, "not a part of a topic");
}

/* A file that is to replace bindings or settings is made here. */
static int check_feed_entry(void *context, const char *name, unsigned char type)
{
    static const char *const dirs[] = {TMP, HOST, SENT_NAME_DIR, "aside"};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        if (type == DT_DIR && strcmp(name, dirs[i]) == 0)
            return 0;
    if (type == DT_REG && (strncmp(name, "new-", 4) == 0 || strcmp(name, FS_LOCK_FILE) == 0))
        return 0;
    return finding_report(context, TOPIC_FEED, name, "not a part of a topic");
}

static int check_draft(void *context, const char *name, unsigned char type)
{
    enum sent_kind kind;
    int64_t number;
    const bool is_dir_of_work = type == DT_DIR && (name_is_new_bucket(name) || sent_name_is_new_slot_dir(name) ||
                                                   sent_name_parse_draft(name, &kind, &number));
    return type == DT_REG || is_dir_of_work ? 0
                                            : finding_report(context, TOPIC_FEED "/" TMP, name, "not a regular file");
}

static int check_table(void *context, const char *name, unsigned char type)
{
    return type == DT_REG ? 0 : finding_report(context, TOPIC_FEED "/" HOST, name, "not a regular file");
}

/* Something else has the name, or nothing, which the directory above tells. */
static bool is_other(int dir)
{
    return dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP;
}

static int check_part_of_feed(struct check *check, const char *name, fs_list_fn *each)
{
    const int dir = fs_open_dir_below(check->home, TOPIC_FEED, name);
    return is_other(dir) ? 0 : finding_list(check, dir, each);
}

/* What it knows of messages that were sent once. What does not belong there goes to an aside/ in feed/. */
static int check_sent_of(struct check *check)
{
    struct check below = *check;
    below.home = fs_open_dir(check->home, TOPIC_FEED);
    below.above = TOPIC_FEED "/";
    if (below.home < 0)
        return is_other(below.home) ? 0 : below.home;
    const int error = check_sent(&below);
    close(below.home);
    check->found = below.found;
    check->left = below.left;
    return error;
}

/* ---- what is missing, and modes ------------------------------------------------------------- */

static int make_missing(struct check *check)
{
    int error = 0;
    const char *missing = NULL;
    const int feed = fs_open_dir(check->home, TOPIC_FEED), has = feed < 0 ? feed : fs_has(feed, TMP);
    if (feed >= 0)
        close(feed);
    if (feed == -ENOENT)
        missing = TOPIC_FEED;
    else if (has == 0)
        missing = TOPIC_FEED "/" TMP;
    else if (has < 0 && !is_other(has))
        error = has;
    if (missing && check->repair)
        error = topic_heal(check->home);
    if (missing)
        finding_tell(check, "", missing, "a part of the topic that is missing");
    return error;
}

/* In a shared topic those of feed/tmp/ and feed/host/ are what says how it is shared: they are told, and stay. */
static bool is_mended(unsigned sharing, enum access_entry entry)
{
    return !access_is_shared(sharing) || (entry != ACCESS_DRAFTS && entry != ACCESS_TABLES);
}

static int mend_mode(int dir, const char *name, bool is_dir, mode_t mode)
{
    const int file = is_dir ? -1 : fs_open_file(dir, name);
    if (is_dir || file < 0)
        return is_dir ? fs_set_mode_at(dir, name, mode) : file;
    const int error = fs_set_mode(file, mode);
    close(file);
    return error;
}

static int check_mode(struct check *check, const char *place, const char *name, unsigned sharing,
                      enum access_entry entry)
{
    struct stat status;
    char problem[PROBLEM_SIZE];
    const mode_t wanted = access_mode(sharing, entry);
    if (fstatat(check->dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    const mode_t mode = status.st_mode & 07777 & ~(mode_t)S_ISUID;
    const bool is_right = access_is_shared(sharing) ? mode == wanted : (mode & wanted) == wanted;
    if (S_ISLNK(status.st_mode) || is_right)
        return 0;
    (void)snprintf(problem, sizeof problem, "its mode is %04o and not %04o", (unsigned)mode, (unsigned)wanted);
    finding_tell(check, place, name, problem);
    if (!check->repair)
        return 0;
    const int error = is_mended(sharing, entry) ? mend_mode(check->dir, name, S_ISDIR(status.st_mode), wanted) : -EPERM;
    if (error)
        check->left = error;
    return 0;
}

static int check_modes(struct check *check)
{
    unsigned sharing;
    int error = access_read_topic(check->home, &sharing);
    check->dir = check->home;
    if (!error)
        error = check_mode(check, "", TOPIC_BINDINGS, sharing, ACCESS_CONFIG);
    if (!error)
        error = check_mode(check, "", TOPIC_SETTINGS, sharing, ACCESS_CONFIG);
    if (!error)
        error = check_mode(check, "", TOPIC_FEED, sharing, ACCESS_TOPIC);
    const int feed = error ? error : fs_open_dir(check->home, TOPIC_FEED);
    if (feed < 0)
        return is_other(feed) ? 0 : feed;
    check->dir = feed;
    error = check_mode(check, TOPIC_FEED, TMP, sharing, ACCESS_DRAFTS);
    if (!error)
        error = check_mode(check, TOPIC_FEED, HOST, sharing, ACCESS_TABLES);
    close(feed);
    return error;
}

/* ---- where it leads ------------------------------------------------------------------------- */

struct ways {
    struct check *check;
    const char *spool_path;
    int spool;
};

/* A destination that is gone is made, as the next message would make it. Of a reply queue it is its follower's end, which
   the next process that reads the bindings tidies up. */
static int check_destination(const struct ways *ways, const char *file, const char *what, const char *destination)
{
    char problem[PROBLEM_SIZE];
    const int has = name_is_reply(destination) ? 1 : fs_has(ways->spool, destination);
    if (has != 0)
        return has < 0 ? has : 0;
    const int made = ways->check->repair ? mq_create(ways->spool_path, destination) : 0;
    (void)snprintf(problem, sizeof problem, "%s %s, which is gone", what, destination);
    finding_tell(ways->check, "", file, problem);
    if (made < 0)
        ways->check->left = made;
    return 0;
}

/* What a line means that cannot be read is for its author to say. */
static int tell_malformed(struct check *check, const char *file, const char *problem)
{
    finding_tell(check, "", file, problem);
    if (check->repair)
        check->left = -EBADMSG;
    return 0;
}

static int check_bindings(const struct ways *ways)
{
    struct bindings bindings = {0};
    char problem[BINDINGS_PROBLEM_SIZE];
    int error = topic_read_bindings(ways->check->home, &bindings, problem);
    if (error == -EBADMSG)
        return tell_malformed(ways->check, TOPIC_BINDINGS, problem);
    for (size_t i = 0; i < bindings.count && !error; i++)
        error = check_destination(ways, TOPIC_BINDINGS, "it leads to", bindings.list[i].destination);
    bindings_release(&bindings);
    return error;
}

static int check_settings(const struct ways *ways)
{
    struct route_topic settings;
    const int error = topic_read_config(ways->check->home, &settings);
    if (error == -EBADMSG)
        return tell_malformed(ways->check, TOPIC_SETTINGS,
                              "not a line `KEY = VALUE` of a key and value that there are");
    if (error || settings.unroutable != ROUTE_ALTERNATE)
        return error;
    return check_destination(ways, TOPIC_SETTINGS, "unroutable is", settings.alternate);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int check_all(const struct ways *ways)
{
    struct check *check = ways->check;
    int error = finding_list(check, fs_open_dir(check->home, "."), check_part);
    if (!error)
        error = make_missing(check);
    if (!error)
        error = check_modes(check);
    if (!error)
        error = check_part_of_feed(check, ".", check_feed_entry);
    if (!error)
        error = check_part_of_feed(check, TMP, check_draft);
    if (!error)
        error = check_part_of_feed(check, HOST, check_table);
    if (!error)
        error = check_sent_of(check);
    if (!error)
        error = check_bindings(ways);
    return error ? error : check_settings(ways);
}

int mq_topic_check(const char *spool_path, const char *topic, bool repair,
                   void (*each)(const char *path, const char *problem, void *context), void *context)
{
    int spool;
    const int dir = topic_open_at(spool_path, topic, &spool);
    if (dir < 0)
        return dir;
    struct check check = {.home = dir, .repair = repair, .each = each, .context = context};
    const int error = check_all(&(struct ways){&check, spool_path, spool});
    close(dir);
    close(spool);
    return error ? error : check.left ? check.left : check.found;
}
