/*
 * The figures of queues as metrics.
 *
 * Two formats, which differ in how they name counters: the text format of Prometheus, which the textfile collector
 * of node_exporter and promtool read, and OpenMetrics 1.0.
 */
#ifndef PROMETHEUS_H
#define PROMETHEUS_H

#include <stdbool.h>

#include "stat/figures.h"

/* Print them on standard output, or with `path` put them into that file, which is replaced in one step. An exit
   status. */
int prometheus_write(const struct figures_list *list, bool openmetrics, const char *path);

#endif
