/*
 * What a bridge shows to the other side to be let in. Everybody sees a command line, so no secret is ever taken from there.
 *
 *     const char *password = secret_password();
 *     const struct secret_files files = secret_files(&url);
 */
#ifndef BRIDGE_SECRET_H
#define BRIDGE_SECRET_H

#include "bridge/url.h"

/* The parameters of a URL that secret_files takes, for the list of those that are known. */
#define SECRET_PARAMETERS "cacertfile", "certfile", "keyfile"

struct secret_files {
    const char *authorities; /* cacertfile: whom to trust; NULL: those that this machine trusts */
    const char *certificate; /* certfile and keyfile: who we are; both NULL: nobody in particular */
    const char *key;
};

/*
 * The password: the first line of the file that MQ_BRIDGE_PASSWORD_FILE names, or else MQ_BRIDGE_PASSWORD. NULL: there is
 * none. It lives as long as the program, and is no longer in the environment. Ends the program if the file cannot be read.
 */
const char *secret_password(void);

/* The files for TLS. Ends the program unless a certificate comes with its key, and each is one that can be read. */
struct secret_files secret_files(const struct url *url);

#endif
