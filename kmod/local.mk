# SPDX-License-Identifier: GPL-2.0-or-later
# The module is built by the kernel's own makefiles; the archive carries it.
EXTRA_DIST += \
	kmod/Kbuild \
	kmod/LOCKING \
	kmod/Makefile \
	kmod/claim.c \
	kmod/cmd.c kmod/cmd.h \
	kmod/compat.h \
	kmod/consumer.c kmod/consumer.h \
	kmod/drain.c kmod/drain.h \
	kmod/fault.c kmod/fault.h \
	kmod/flr.c kmod/flr.h \
	kmod/hwq.c kmod/hwq.h \
	kmod/ims.c kmod/ims.h \
	kmod/ioctl.c \
	kmod/iommu.c kmod/iommu.h \
	kmod/irq.c kmod/irq.h \
	kmod/layout-test \
	kmod/layout.awk kmod/layout.list kmod/layout.sh \
	kmod/leave.c kmod/leave.h \
	kmod/log.c kmod/log.h \
	kmod/main.c \
	kmod/mdev.c kmod/mdev.h \
	kmod/migration.c kmod/migration.h \
	kmod/parent.c kmod/parent.h \
	kmod/probe/attach_dev_old.c \
	kmod/probe/bypass_eventfd.c \
	kmod/probe/control.c \
	kmod/probe/import_ns_token.c \
	kmod/probe/paging_flags.c \
	kmod/probe/pfn_t.c \
	kmod/probe/region_info_caps.c \
	kmod/rebind.c kmod/rebind.h \
	kmod/record.c kmod/record.h \
	kmod/region.c kmod/region.h \
	kmod/regs.h \
	kmod/share.c kmod/share.h \
	kmod/slice.c kmod/slice.h \
	kmod/trace.c kmod/trace.h \
	kmod/turn.c kmod/turn.h \
	kmod/type.c kmod/type.h \
	kmod/vdev.c kmod/vdev.h \
	kmod/watch.c kmod/watch.h \
	kmod/whole.c

TESTS += kmod/layout-test
