/*
 * What a worker tells the service manager beside READY=1 and STOPPING=1: what it does, in words, at most once a second,
 * and that it is alive, if the manager wants to hear it (WATCHDOG_USEC).
 *
 *     service_begin(&service, now)
 *     for (;;)
 *         wake = service_tell(&service, &figures, now)       and come back no later than that
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>
#include <stdint.h>

struct service_figures {
    unsigned running;
    uint64_t done, failed;
};

struct service {
    bool listens;      /* there is a service manager */
    int64_t interval;  /* how often the manager hears that the worker is alive; 0: never */
    int64_t alive_at;  /* when it hears that next */
    int64_t status_at; /* the status may change again at this time */
    struct service_figures told;
};

/* Say that the worker is ready. */
void service_begin(struct service *ret_service, int64_t now);

/* Say what is new and due. Returns when to call this again: INT64_MAX if there will be nothing to say. */
int64_t service_tell(struct service *service, const struct service_figures *figures, int64_t now);

#endif
