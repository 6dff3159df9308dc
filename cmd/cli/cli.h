/* What all programs share: the command line, errors and notes, the spool, and opening queues. */
#ifndef CLI_H
#define CLI_H

#include "cli/command_line.h"
#include "cli/open.h"
#include "cli/report.h"
#include "cli/spool.h"

#endif
