/* Waiting: what a follower that leaves passes on. */
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "fs.h"
#include "unit.h"

static char *spool;
static mq_queue *queue;
static int waiters;

static void who_leaves_rings_when_nobody_leads(void)
{
    char name[NAME_WAITER_SIZE], byte;
    name_format_waiter(1, name);
    EXPECT(flock(waiters, LOCK_EX | LOCK_NB) == 0);
    EXPECT(wait_enter(queue) == 0); /* follows us */
    const int other = fs_make_fifo(waiters, name, 0600);
    EXPECT(other >= 0);
    /* We leave, and our bell comes after the follower has looked for it: he must see that nobody leads. */
    flock(waiters, LOCK_UN);
    wait_leave(queue);
    EXPECT(read(other, &byte, 1) == 1);
    close(other);
    EXPECT(fs_unlink(waiters, name) == 0);
}

static void who_leaves_is_quiet_when_somebody_leads(void)
{
    char name[NAME_WAITER_SIZE], byte;
    name_format_waiter(2, name);
    EXPECT(flock(waiters, LOCK_EX | LOCK_NB) == 0);
    EXPECT(wait_enter(queue) == 0);
    const int other = fs_make_fifo(waiters, name, 0600);
    EXPECT(other >= 0);
    wait_leave(queue);
    EXPECT(read(other, &byte, 1) < 0);
    flock(waiters, LOCK_UN);
    close(other);
    EXPECT(fs_unlink(waiters, name) == 0);
}

/* SIGPIPE would end this program. */
static void ringing_who_has_just_gone_is_no_harm(void)
{
    char name[NAME_WAITER_SIZE];
    name_format_waiter(3, name);
    const int other = fs_make_fifo(waiters, name, 0600);
    EXPECT(other >= 0);
    const int bell = fs_open_fifo(waiters, name);
    EXPECT(bell >= 0);
    close(other);
    EXPECT(write(bell, "!", 1) == 1);
    close(bell);
    EXPECT(fs_open_fifo(waiters, name) == -ENXIO);
    EXPECT(fs_unlink(waiters, name) == 0);
}

int main(void)
{
    spool = unit_directory();
    EXPECT(mq_open(spool, "jobs", MQ_CREATE, &queue) == 0);
    waiters = fs_open_dir(queue->dir, "waiters");
    EXPECT(waiters >= 0);
    who_leaves_rings_when_nobody_leads();
    who_leaves_is_quiet_when_somebody_leads();
    ringing_who_has_just_gone_is_no_harm();
    close(waiters);
    mq_close(queue);
    EXPECT(mq_delete(spool, "jobs", true) == 0);
    rmdir(spool);
    free(spool);
    return unit_failures != 0;
}
