# SPDX-License-Identifier: GPL-2.0-or-later
# The emulated device, for EXTRA_DIST; paths from the top.
LAB_QEMU_DIST = \
	tests/lab/qemu/files.mk \
	tests/lab/qemu/dsa/README.md \
	tests/lab/qemu/dsa/batch.c \
	tests/lab/qemu/dsa/check.c \
	tests/lab/qemu/dsa/cmd.c \
	tests/lab/qemu/dsa/crc.c \
	tests/lab/qemu/dsa/delta.c \
	tests/lab/qemu/dsa/desc.c \
	tests/lab/qemu/dsa/device.c \
	tests/lab/qemu/dsa/dma.c \
	tests/lab/qemu/dsa/engine.c \
	tests/lab/qemu/dsa/evl.c \
	tests/lab/qemu/dsa/guest/desc.h \
	tests/lab/qemu/dsa/guest/model-test.c \
	tests/lab/qemu/dsa/guest/pf.c \
	tests/lab/qemu/dsa/guest/pf.h \
	tests/lab/qemu/dsa/guest/sva-test.c \
	tests/lab/qemu/dsa/guest/test-flow.c \
	tests/lab/qemu/dsa/guest/test-fuzz.c \
	tests/lab/qemu/dsa/guest/test-ops.c \
	tests/lab/qemu/dsa/guest/test-regs.c \
	tests/lab/qemu/dsa/inject.c \
	tests/lab/qemu/dsa/irq.c \
	tests/lab/qemu/dsa/meson.build \
	tests/lab/qemu/dsa/model.h \
	tests/lab/qemu/dsa/ops.c \
	tests/lab/qemu/dsa/pcicfg.c \
	tests/lab/qemu/dsa/record.c \
	tests/lab/qemu/dsa/regs.c \
	tests/lab/qemu/dsa/regs.h \
	tests/lab/qemu/dsa/tables.c \
	tests/lab/qemu/dsa/wq.c
