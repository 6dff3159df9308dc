/* Waiting: what a follower that leaves passes on. */
#include "queue/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_fifo.h"
#include "format/work_name.h"
#include "queue/bell.h"
#include "queue/fifo.h"
#include "unit.h"

static char *spool;
static mq_queue *queue;
static int waiters;

static int enter(void)
{
    return wait_enter(&queue->waiter,
                      &(struct wait_queue){.dir = queue->dir, .sharing = queue->sharing, .page = queue->page});
}

static void leave(void)
{
    wait_leave(queue->waiter, &(struct wait_queue){.dir = queue->dir, .sharing = queue->sharing, .page = queue->page});
}

static void who_leaves_rings_when_nobody_leads(void)
{
    char name[NAME_WAITER_SIZE], byte;
    name_format_waiter(1, name);
    EXPECT(flock(waiters, LOCK_EX | LOCK_NB) == 0);
    EXPECT(enter() == 0); /* follows us */
    const int other = fs_make_fifo(waiters, name, 0600);
    EXPECT(other >= 0);
    /* We leave, and our bell comes after the follower has looked for it: he must see that nobody leads. */
    flock(waiters, LOCK_UN);
    leave();
    EXPECT(read(other, &byte, 1) == 1);
    close(other);
    EXPECT(fs_unlink(waiters, name) == 0);
}

static void who_leaves_is_quiet_when_somebody_leads(void)
{
    char name[NAME_WAITER_SIZE], byte;
    name_format_waiter(2, name);
    EXPECT(flock(waiters, LOCK_EX | LOCK_NB) == 0);
    EXPECT(enter() == 0);
    const int other = fs_make_fifo(waiters, name, 0600);
    EXPECT(other >= 0);
    leave();
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
    const int fifo = fs_open_fifo(waiters, name);
    EXPECT(fifo >= 0);
    EXPECT(fifo_write(fifo));
    close(other);
    EXPECT(!fifo_write(fifo));
    close(fifo);
    EXPECT(fs_open_fifo(waiters, name) == -ENXIO);
    EXPECT(fs_unlink(waiters, name) == 0);
}

/* A caller that blocks SIGPIPE and has one pending keeps it, and gets none of ours. */
static void the_callers_signals_stay(void)
{
    char name[NAME_WAITER_SIZE];
    sigset_t pipe, pending;
    name_format_waiter(4, name);
    const int other = fs_make_fifo(waiters, name, 0600), fifo = fs_open_fifo(waiters, name);
    EXPECT(other >= 0 && fifo >= 0);
    close(other);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe, NULL);
    EXPECT(!fifo_write(fifo));
    sigpending(&pending);
    EXPECT(!sigismember(&pending, SIGPIPE));
    raise(SIGPIPE);
    EXPECT(!fifo_write(fifo));
    sigpending(&pending);
    EXPECT(sigismember(&pending, SIGPIPE));
    EXPECT(sigtimedwait(&pipe, NULL, &(struct timespec){0}) == SIGPIPE);
    sigprocmask(SIG_UNBLOCK, &pipe, NULL);
    close(fifo);
    EXPECT(fs_unlink(waiters, name) == 0);
}

/* The page is a hint: it may name a leader that is dead or was never there. */
static void a_leader_that_is_not_there_is_forgotten(void)
{
    page_set_leader(queue->page, 12345);
    bell_ring(queue);
    EXPECT(page_leader(queue->page) == 0);
}

static void where_the_leader_is_dead_a_follower_is_rung(void)
{
    char name[NAME_WAITER_SIZE], byte;
    name_format_waiter(5, name);
    const int other = fs_make_fifo(waiters, name, 0600);
    EXPECT(other >= 0);
    page_set_leader(queue->page, 12345);
    bell_ring(queue);
    EXPECT(read(other, &byte, 1) == 1);
    EXPECT(page_leader(queue->page) == 12345); /* the follower leads from then on, and says so itself */
    close(other);
    bell_ring(queue);
    EXPECT(page_leader(queue->page) == 0);
    EXPECT(!fs_exists(waiters, name));
}

/* A leader is rung by other handles, and not by its own; it takes back what it said in the page. */
static void a_leader_is_rung_by_others(void)
{
    mq_queue *sender;
    struct pollfd rung = {.events = POLLIN};
    EXPECT(mq_open(spool, "jobs", 0, &sender) == 0);
    EXPECT(enter() == 0);
    EXPECT(wait_leads(queue->waiter) && page_leader(sender->page) != 0);
    rung.fd = fs_open_own_fifo(waiters, NAME_BELL);
    EXPECT(rung.fd >= 0);
    bell_ring(queue);
    EXPECT(poll(&rung, 1, 0) == 0);
    bell_ring(sender);
    EXPECT(poll(&rung, 1, 0) == 1);
    leave();
    EXPECT(page_leader(sender->page) == 0);
    close(rung.fd);
    mq_close(sender);
}

/* Whatever else lies under the bell's name gives way, as far as it may be removed. */
static void what_is_no_bell_is_replaced(void)
{
    EXPECT(fs_unlink(waiters, NAME_BELL) == 0);
    close(fs_make_file(waiters, NAME_BELL, 0600));
    const int bell = fifo_open_bell(waiters, queue->sharing);
    EXPECT(bell >= 0);
    close(bell);
    EXPECT(fs_unlink(waiters, NAME_BELL) == 0);
    EXPECT(fs_make_dir(waiters, NAME_BELL) == 0);
    EXPECT(fifo_open_bell(waiters, queue->sharing) < 0);
    EXPECT(enter() == 0); /* without it */
    EXPECT(wait_leads(queue->waiter) && page_leader(queue->page) == 0);
    const struct wait_queue waits = {.dir = queue->dir, .sharing = queue->sharing, .page = queue->page};
    EXPECT(wait_sleep(queue->waiter, &waits, clock_now() + CLOCK_SECOND, 1000, -1) == 0);
    leave();
    EXPECT(fs_remove_dir(waiters, NAME_BELL) == 0);
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
    the_callers_signals_stay();
    a_leader_that_is_not_there_is_forgotten();
    where_the_leader_is_dead_a_follower_is_rung();
    a_leader_is_rung_by_others();
    what_is_no_bell_is_replaced();
    close(waiters);
    mq_close(queue);
    EXPECT(mq_delete(spool, "jobs", true) == 0);
    rmdir(spool);
    free(spool);
    return unit_failures != 0;
}
