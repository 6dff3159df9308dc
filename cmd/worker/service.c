/* What a worker tells the service manager. */
#include "worker/service.h"

#include "base/units.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/notify.h"

#define STATUS_INTERVAL INT64_C(1000000)

/* The manager's limit: it ends a process from which it has heard nothing for this long. 0: there is none, or it is for
   another process, whose environment was handed on. */
static int64_t limit(void)
{
    uint64_t microseconds, process;
    const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!text || !units_parse_number(text, INT64_MAX, &microseconds))
        return 0;
    if (pid && (!units_parse_number(pid, INT32_MAX, &process) || (pid_t)process != getpid()))
        return 0;
    return (int64_t)microseconds;
}

void service_begin(struct service *ret_service, int64_t now)
{
    const bool listens = getenv("NOTIFY_SOCKET") != NULL;
    const int64_t interval = listens ? limit() / 2 : 0;
    *ret_service = (struct service){
        .listens = listens,
        .interval = interval,
        .alive_at = interval ? now + interval : INT64_MAX,
        .status_at = now,
    };
    notify("READY=1\nSTATUS=Waiting for messages");
}

static void tell_status(struct service *service, const struct service_figures *figures)
{
    char text[128], running[32] = "Waiting for messages";
    if (figures->running > 0)
        snprintf(running, sizeof running, "%u running", figures->running);
    snprintf(text, sizeof text, "STATUS=%s, %" PRIu64 " done, %" PRIu64 " failed", running, figures->done,
             figures->failed);
    notify(text);
    service->told = *figures;
}

static bool is_told(const struct service *service, const struct service_figures *figures)
{
    const struct service_figures *told = &service->told;
    return told->running == figures->running && told->done == figures->done && told->failed == figures->failed;
}

int64_t service_tell(struct service *service, const struct service_figures *figures, int64_t now)
{
    if (!service->listens)
        return INT64_MAX;
    if (service->alive_at <= now) {
        notify("WATCHDOG=1");
        service->alive_at = now + service->interval;
    }
    if (is_told(service, figures))
        return service->alive_at;
    if (service->status_at > now)
        return service->alive_at < service->status_at ? service->alive_at : service->status_at;
    tell_status(service, figures);
    service->status_at = now + STATUS_INTERVAL;
    return service->alive_at;
}
