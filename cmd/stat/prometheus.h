/*
 * The figures of queues as metrics.
 *
 * There are two formats, which name counters differently: the text format of Prometheus, which promtool and the
 * textfile collector of node_exporter read, and OpenMetrics 1.0.
 */
#ifndef PROMETHEUS_H
#define PROMETHEUS_H

#include <stdbool.h>

#include "stat/snapshot.h"

/* Print the metrics on standard output, or put them into the file `path`, which is replaced in one step. Returns an
   exit status. */
int prometheus_write(const struct snapshot_list *list, bool openmetrics, const char *path);

#endif
