/* The FIFOs in waiters/. */
#include "queue/fifo.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_fifo.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "format/name.h"
#include "format/work_name.h"
#include "store/access.h"

/* ---- one FIFO --------------------------------------------------------------------- */

static bool is_pending(int number)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, number) == 1;
}

/* A write to a FIFO without a reader raises SIGPIPE in this thread, before the write returns. */
static void take_signal(const sigset_t *signals)
{
    (void)sigtimedwait(signals, NULL, &(struct timespec){0});
}

bool fifo_write(int fifo)
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
    return written == 1 || error == EAGAIN; /* the FIFO is full, so its reader finds something to read */
}

bool fifo_read(int fifo)
{
    char bytes[4096];
    return fifo >= 0 && read(fifo, bytes, sizeof bytes) > 0;
}

/* ---- a follower ------------------------------------------------------------------- */

struct ring {
    int waiters;
    bool has_followers;
};

/* 1: this follower was rung; 0: it was not. */
static int ring_one(struct ring *ring, const char *name)
{
    int unread = 0;
    const int fifo = fs_open_fifo(ring->waiters, name);
    if (fifo == -ENXIO)
        (void)fs_unlink(ring->waiters, name); /* its reader is dead */
    if (fifo < 0)
        return 0;
    ring->has_followers = true;
    /* A follower that has not read the last byte is stopped, or about to wake. Then another follower must be woken. */
    const bool rung = ioctl(fifo, FIONREAD, &unread) == 0 && unread == 0 && fifo_write(fifo);
    close(fifo);
    return rung;
}

static int ring_first(void *context, const char *name, unsigned char type)
{
    (void)type;
    return name_is_waiter(name) ? ring_one(context, name) : 0;
}

int fifo_ring_follower(int waiters)
{
    struct ring ring = {.waiters = waiters};
    const int rung = fs_list_at(waiters, ".", ring_first, &ring);
    return rung == 0 && ring.has_followers ? -EAGAIN : rung;
}

/* ---- the bell --------------------------------------------------------------------- */

/* Until the FIFO has its mode and is open it has a name that no sender looks for. */
static int make_bell(int waiters, unsigned sharing)
{
    char name[NAME_WAITER_SIZE];
    name_format_waiter(id_random(), name);
    const int bell = fs_make_fifo(waiters, name, access_mode(sharing, ACCESS_BELL));
    const int error = bell < 0 ? bell : fs_rename(waiters, name, waiters, NAME_BELL);
    if (error >= 0)
        return bell;
    if (bell >= 0) {
        (void)fs_unlink(waiters, name);
        close(bell);
    }
    return error;
}

int fifo_open_bell(int waiters, unsigned sharing)
{
    const int bell = fs_open_own_fifo(waiters, NAME_BELL);
    if (bell >= 0 || bell == -EMFILE || bell == -ENFILE)
        return bell;
    if (bell != -ENOENT)
        (void)fs_unlink(waiters, NAME_BELL); /* it is not a FIFO, or this process may not read it */
    return make_bell(waiters, sharing);
}
