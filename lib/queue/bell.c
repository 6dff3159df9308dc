/* The FIFOs in waiters/ and how they are rung. */
#include "queue/bell.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "queue/wait.h"
#include "store/access.h"

/* ---- one FIFO --------------------------------------------------------------------- */

static bool is_pending(int number)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, number) == 1;
}

/* A write that raised SIGPIPE has raised it for this thread, before it returned. */
static void take_signal(const sigset_t *signals)
{
    (void)sigtimedwait(signals, NULL, &(struct timespec){0});
}

bool bell_write(int fifo)
{
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (pthread_sigmask(SIG_BLOCK, &pipe, &before) != 0)
        return false;
    const bool callers = sigismember(&before, SIGPIPE) == 1 && is_pending(SIGPIPE);
    const ssize_t written = write(fifo, "!", 1);
    const int error = written < 0 ? errno : 0;
    if (error == EPIPE && !callers)
        take_signal(&pipe);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return written == 1 || error == EAGAIN; /* a full one was rung before */
}

bool bell_read(int fifo)
{
    char bytes[4096];
    return fifo >= 0 && read(fifo, bytes, sizeof bytes) > 0;
}

/* ---- a follower ------------------------------------------------------------------- */

/* 1 rung, 0 not this one. */
static int ring_one(int waiters, const char *name)
{
    int unread = 0;
    const int fifo = fs_open_fifo(waiters, name);
    if (fifo == -ENXIO)
        (void)fs_unlink(waiters, name); /* its reader is dead */
    if (fifo < 0)
        return 0;
    /* One that has not answered its last ring is stopped or about to: either way another one is needed. */
    const bool rung = ioctl(fifo, FIONREAD, &unread) == 0 && unread == 0 && bell_write(fifo);
    close(fifo);
    return rung;
}

static int ring_first(void *context, const char *name, unsigned char type)
{
    (void)type;
    return name_is_waiter(name) ? ring_one(*(const int *)context, name) : 0;
}

bool bell_ring_follower(int waiters)
{
    return fs_list_at(waiters, ".", ring_first, &waiters) == 1;
}

/* ---- the leader ------------------------------------------------------------------- */

/* Under a name that nobody looks for, until it has its mode and is open. */
static int make_bell(const mq_queue *queue, int waiters)
{
    char name[NAME_WAITER_SIZE];
    name_format_waiter(id_random(), name);
    const int bell = fs_make_fifo(waiters, name, access_mode(queue->sharing, ACCESS_BELL));
    const int error = bell < 0 ? bell : fs_rename(waiters, name, waiters, NAME_BELL);
    if (error >= 0)
        return bell;
    if (bell >= 0) {
        (void)fs_unlink(waiters, name);
        close(bell);
    }
    return error;
}

int bell_open(const mq_queue *queue, int waiters)
{
    const int bell = fs_open_own_fifo(waiters, NAME_BELL);
    if (bell >= 0 || bell == -EMFILE || bell == -ENFILE)
        return bell;
    if (bell != -ENOENT)
        (void)fs_unlink(waiters, NAME_BELL); /* it is no bell, or not for us to read */
    return make_bell(queue, waiters);
}

static void ring_heir(mq_queue *queue, uint64_t leader)
{
    const int waiters = fs_open_dir(queue->dir, "waiters");
    if (waiters < 0)
        return;
    if (!bell_ring_follower(waiters))
        page_forget_leader(queue->page, leader);
    close(waiters);
}

void bell_ring(mq_queue *queue)
{
    if (wait_leads(queue)) /* then this caller looks before it sleeps */
        return;
    /* Whoever cannot see what the others see rings in any case. */
    const bool is_blind = queue_only_sends(queue) || page_is_private(queue->page);
    const uint64_t leader = is_blind ? 0 : page_leader(queue->page);
    if (!is_blind && leader == 0)
        return;
    const int bell = fs_open_fifo_below(queue->dir, "waiters", NAME_BELL);
    const bool rung = bell >= 0 && bell_write(bell);
    if (bell >= 0)
        close(bell);
    if (!rung && leader != 0)
        ring_heir(queue, leader);
}
