/* What an error of the server means for the connection. */
#include "bridge-redis/verdict.h"

#include <string.h>

#include "cli/cli.h"
#include "text/text.h"

#define SHOWN 256

/* The first that the error begins with counts. */
static const struct {
    const char *beginning;
    enum bridge_result result;
    int status;
} verdicts[] = {
    {"OOM ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"LOADING ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"BUSY ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"MISCONF ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"READONLY ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"MASTERDOWN ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"NOREPLICAS ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"CLUSTERDOWN ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"TRYAGAIN ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"UNBLOCKED ", BRIDGE_LOST, STATUS_TRY_LATER},
    {"ERR max number of clients", BRIDGE_LOST, STATUS_TRY_LATER},
    {"ERR Protocol error", BRIDGE_REFUSED, STATUS_DATA},
    {"ERR Elements are too large", BRIDGE_REFUSED, STATUS_DATA},
    {"ERR string exceeds maximum", BRIDGE_REFUSED, STATUS_DATA},
    {"ERR DB index", BRIDGE_FAILED, STATUS_NO_QUEUE},
    {"ERR invalid DB index", BRIDGE_FAILED, STATUS_NO_QUEUE},
    {"ERR invalid password", BRIDGE_FAILED, STATUS_PERMISSION},
    {"ERR AUTH ", BRIDGE_FAILED, STATUS_PERMISSION},
    {"ERR Client sent AUTH", BRIDGE_FAILED, STATUS_PERMISSION},
    {"WRONGPASS ", BRIDGE_FAILED, STATUS_PERMISSION},
    {"NOAUTH ", BRIDGE_FAILED, STATUS_PERMISSION},
    {"NOPERM ", BRIDGE_FAILED, STATUS_PERMISSION},
    {"DENIED ", BRIDGE_FAILED, STATUS_PERMISSION},
    {"NOGROUP ", BRIDGE_FAILED, STATUS_NO_QUEUE},
    {"WRONGTYPE ", BRIDGE_FAILED, STATUS_USAGE},
    {"", BRIDGE_FAILED, STATUS_UNAVAILABLE},
};

static const char *advice(const struct place *place, const char *beginning)
{
    if (strcmp(beginning, "NOGROUP ") == 0)
        return "; --create makes the group";
    if (!place->password && strcmp(beginning, "NOAUTH ") == 0)
        return "; MQ_BRIDGE_PASSWORD_FILE may name the file that has the password";
    return "";
}

enum bridge_result verdict(struct bridge *bridge, const struct place *place, const char *error)
{
    size_t i = 0;
    char words[TEXT_ESCAPED(SHOWN)];
    size_t size = strlen(error);
    size -= size > 0 && error[size - 1] == '.';
    while (strncmp(error, verdicts[i].beginning, strlen(verdicts[i].beginning)) != 0)
        i++;
    (void)text_escape(error, size < SHOWN ? size : SHOWN, "", words);
    return bridge_trouble(bridge, verdicts[i].result, verdicts[i].status, "%s%s", words,
                          advice(place, verdicts[i].beginning));
}
