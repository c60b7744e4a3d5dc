// SPDX-License-Identifier: GPL-2.0-only
/* The one place that the trace events are made in. */
#include <linux/types.h>

#define CREATE_TRACE_POINTS
#include "trace.h"
