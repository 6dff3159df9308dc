/* Telling the service manager how we are: the protocol of sd_notify(3), without the library. */
#ifndef NOTIFY_H
#define NOTIFY_H

/* Send an assignment such as "READY=1" to $NOTIFY_SOCKET; without one, or where nobody listens, nothing happens. */
void notify(const char *assignment);

#endif
