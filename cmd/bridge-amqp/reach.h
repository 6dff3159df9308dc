/* Why a host cannot be reached, of which librabbitmq says no more than that there was an error. */
#ifndef REACH_H
#define REACH_H

/* Try once more, for no longer than a second. Words that live until the next call. */
const char *reach_why_not(const char *host, int port);

#endif
