/* mq-queue doctor: the spool, and what it lies on. */
#include "queue/doctor.h"

#include "base/clock.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/cli.h"
#include "queue/doctor_queue.h"
#include "queue/finding.h"

#define SECOND INT64_C(1000000)
#define YEAR_2024 (INT64_C(1704067200) * SECOND)
#define CLOCK_SLACK (60 * SECOND)
#define LITTLE_ROOM 5 /* percent of a file system */
#define FEW_FILES 1000

/* ---- the spool ------------------------------------------------------------------- */

static const char *why_this_spool(void)
{
    const char *said = getenv("MQ_SPOOL"), *state = getenv("XDG_STATE_HOME");
    if (cli_spool)
        return "as -S says";
    if (said && *said)
        return "as MQ_SPOOL says";
    if (geteuid() == 0)
        return "root's own";
    return state && *state ? "below XDG_STATE_HOME" : "below HOME";
}

/* Returns whether there is a spool to look at. */
static bool look_at_spool(const char *path)
{
    struct stat status;
    char described[CLI_SPOOL_SIZE];
    cli_describe_spool(described);
    if (strcmp(described, path) != 0)
        finding_add(FINDING_WARNING, "spool", "name the spool that is meant with -S or MQ_SPOOL", "%s", described);
    else
        finding_add(FINDING_OK, "spool", NULL, "%s, %s", path, why_this_spool());
    if (stat(path, &status) < 0) {
        if (errno == ENOENT)
            finding_add(FINDING_OK, "spool", NULL, "it does not exist yet: the first message makes it");
        else
            finding_add(FINDING_UNKNOWN, "spool", "see that this user may go to it", "%s", strerror(errno));
        return false;
    }
    if (!S_ISDIR(status.st_mode)) {
        finding_add(FINDING_CRITICAL, "spool", "name another one with -S or MQ_SPOOL", "it is no directory");
        return false;
    }
    if (status.st_mode & S_IWOTH && !(status.st_mode & S_ISVTX))
        finding_add(FINDING_CRITICAL, "rights", "chmod +t or chmod o-w", "every user can delete the spool's queues");
    if (access(path, R_OK | X_OK) < 0)
        finding_add(FINDING_UNKNOWN, "rights", "run this as the owner of the spool", "the queues cannot be listed: %s",
                    strerror(errno));
    else if (access(path, W_OK) < 0 && errno == EACCES)
        finding_add(FINDING_OK, "rights", NULL, "this user may make no queues here");
    return true;
}

/* ---- the file system ------------------------------------------------------------- */

#define SEVERAL_HOSTS "see mq(7), SEVERAL HOSTS; for one machine, move the spool to a local disk"

static const struct file_system {
    long magic;
    const char *name;
    enum finding_level level;
    const char *lacks, *advice;
} file_systems[] = {
    {0xef53, "ext4", FINDING_OK, NULL, NULL},
    {0x58465342, "xfs", FINDING_OK, NULL, NULL},
    {0x9123683e, "btrfs", FINDING_OK, NULL, NULL},
    {0x794c7630, "overlayfs", FINDING_OK, "messages go when the container is removed, unless the spool is a volume",
     NULL},
    {0x01021994, "tmpfs", FINDING_WARNING, "all messages are gone when the machine stops",
     "move the spool to a disk, if messages must survive that"},
    {0x6969, "NFS", FINDING_WARNING, "receivers poll, and much depends on how it is mounted", SEVERAL_HOSTS},
    {0x00c36400, "CephFS", FINDING_OK, "receivers poll", NULL},
    {0x7461636f, "OCFS2", FINDING_OK, "receivers poll", NULL},
    {0x01161970, "GFS2", FINDING_OK, "receivers poll", NULL},
    {0xff534d42, "CIFS", FINDING_WARNING, "receivers poll, and only programs of one machine may use it",
     "move the spool to a local disk"},
    {0xfe534d42, "SMB", FINDING_WARNING, "receivers poll, and only programs of one machine may use it",
     "move the spool to a local disk"},
    {0x01021997, "9p", FINDING_WARNING, "receivers poll, and promises are those of the host",
     "move the spool to a local disk"},
    {0x65735546, "FUSE", FINDING_WARNING, "promises are those of the program behind it; for GlusterFS they hold",
     SEVERAL_HOSTS},
    {0x4d44, "FAT", FINDING_CRITICAL, "it has no hard links: nothing can be sent", "move the spool to another one"},
    {0x2011bab0, "exFAT", FINDING_CRITICAL, "it has no hard links: nothing can be sent",
     "move the spool to another one"},
};

static void look_at_type(const char *path)
{
    struct statfs status;
    if (statfs(path, &status) < 0) {
        finding_add(FINDING_UNKNOWN, "file system", NULL, "%s", strerror(errno));
        return;
    }
    for (size_t i = 0; i < sizeof file_systems / sizeof *file_systems; i++) {
        const struct file_system *type = &file_systems[i];
        if (type->magic != (long)status.f_type)
            continue;
        finding_add(type->level, "file system", type->advice, "%s%s%s", type->name, type->lacks ? ": " : "",
                    type->lacks ? type->lacks : "");
        return;
    }
    finding_add(FINDING_OK, "file system", NULL, "of type %#lx, which mq(7) says nothing about", (long)status.f_type);
}

static void look_at_room(const char *path)
{
    struct statvfs room;
    if (statvfs(path, &room) < 0) {
        finding_add(FINDING_UNKNOWN, "room", NULL, "%s", strerror(errno));
        return;
    }
    if (room.f_flag & ST_RDONLY)
        finding_add(FINDING_CRITICAL, "file system", "mount it for writing", "it is read-only: nothing can be sent");
    const uint64_t percent = room.f_blocks ? (uint64_t)room.f_bavail * 100 / room.f_blocks : 100;
    const bool no_files = room.f_files > 0 && room.f_favail < FEW_FILES;
    if (room.f_bavail == 0 || (room.f_files > 0 && room.f_favail == 0))
        finding_add(FINDING_CRITICAL, "room", "make room", "the file system is full: nothing can be sent");
    else if (percent < LITTLE_ROOM || no_files)
        finding_add(FINDING_WARNING, "room", "make room, or set max-bytes",
                    "%" PRIu64 "%% of the file system are left, and %ju files", percent, (uintmax_t)room.f_favail);
    else
        finding_add(FINDING_OK, "room", NULL, "%" PRIu64 "%% of the file system are left", percent);
}

/* ---- the machine ----------------------------------------------------------------- */

static void look_at_inotify(void)
{
    const int instance = inotify_init1(IN_CLOEXEC);
    if (instance >= 0) {
        close(instance);
        finding_add(FINDING_OK, "inotify", NULL, "available");
    } else if (errno == EMFILE) {
        finding_add(FINDING_WARNING, "inotify", "raise fs.inotify.max_user_instances with sysctl",
                    "this user has no more instances: receivers poll");
    } else {
        finding_add(FINDING_WARNING, "inotify", NULL, "not available, so receivers poll: %s", strerror(errno));
    }
}

/* Whatever is in the spool was written before now. */
static void look_at_clock(const char *path)
{
    struct stat status;
    const int64_t now = clock_now();
    const bool is_known = stat(path, &status) == 0;
    if (now < YEAR_2024)
        finding_add(FINDING_CRITICAL, "clock", "set it", "it is before 2024: due times and deadlines are wrong");
    else if (is_known && (int64_t)status.st_mtime * SECOND > now + CLOCK_SLACK)
        finding_add(FINDING_WARNING, "clock", "set it, and see that it is kept right (NTP)",
                    "the spool was changed in the future: the clock went back, and claims and delays last longer");
    else
        finding_add(FINDING_OK, "clock", NULL, "later than everything in the spool");
}

/* ---- transactions ---------------------------------------------------------------- */

struct count {
    uint64_t open, unfinished;
};

static int count_transaction(const struct mq_tx_entry *entry, void *context)
{
    struct count *count = context;
    if (entry->state == MQ_TX_OPEN && entry->deadline > clock_now())
        count->open++;
    else
        count->unfinished++;
    return 0;
}

static void look_at_transactions(void)
{
    struct count count = {0};
    const int error = mq_tx_list(cli_spool, count_transaction, &count);
    if (error)
        finding_add(FINDING_UNKNOWN, "transactions", NULL, "cannot be listed: %s", cli_reason(error));
    else if (count.unfinished > 0)
        finding_add(FINDING_WARNING, "transactions", "run `mq-queue sweep`; `mq-tx list` names them",
                    "decided or past their deadline, and not carried out: %" PRIu64, count.unfinished);
    else
        finding_add(FINDING_OK, "transactions", NULL, "%" PRIu64 " open, none unfinished", count.open);
}

static int look_at_queue(const char *queue, void *context)
{
    (void)context;
    doctor_queue(queue);
    return 0;
}

int doctor_run(char **words, int count)
{
    char path[PATH_MAX];
    (void)words;
    (void)count;
    if (mq_spool_path(cli_spool, path, sizeof path) != 0) {
        finding_add(FINDING_CRITICAL, "spool", "set MQ_SPOOL", "there is none: none of -S, MQ_SPOOL and HOME is set");
        return finding_worst();
    }
    look_at_inotify();
    if (!look_at_spool(path))
        return finding_worst();
    look_at_type(path);
    look_at_room(path);
    look_at_clock(path);
    look_at_transactions();
    cli_survive_cut_pages();
    const int error = mq_list(cli_spool, look_at_queue, NULL);
    if (error)
        finding_add(FINDING_UNKNOWN, "spool", NULL, "the queues cannot be listed: %s", cli_reason(error));
    return finding_worst();
}
