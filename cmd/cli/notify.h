/* Telling the service manager about the state of this process: the protocol of sd_notify(3), without its library. */
#ifndef NOTIFY_H
#define NOTIFY_H

/* Send an assignment such as "READY=1" to $NOTIFY_SOCKET. If that is not set, or nobody listens, nothing happens. */
void notify(const char *assignment);

#endif
