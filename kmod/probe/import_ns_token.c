// SPDX-License-Identifier: GPL-2.0-only
/* MODULE_IMPORT_NS() takes a bare word and not a string. */
#include <linux/module.h>
MODULE_IMPORT_NS(IDXD);
