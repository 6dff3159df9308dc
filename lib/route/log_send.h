/* Sending to logs. The rest is in mq.h. */
#ifndef MQ_LOG_SEND_H
#define MQ_LOG_SEND_H

#include "log/log.h"

/* Before something is sent: read the configuration again when it is due. */
int log_send_refresh(mq_log *log);

#endif
