/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_COMMON_LOG_H
#define IDXDVD_COMMON_LOG_H

#include <stdbool.h>
#include <syslog.h>

#include "idxdvd/common/cleanup.h"

/* One line to standard error, with the level in front when the journal reads it. */
void log_print(int level, const char *fmt, ...) _printf_(2, 3);
void log_set_max_level(int level);
bool log_is_shown(int level);

#define log_error(...) log_print(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_print(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_print(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)

#endif
