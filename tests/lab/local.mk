# SPDX-License-Identifier: GPL-2.0-or-later
# The lab is run from a source tree; nothing of it is compiled or installed here.
EXTRA_DIST += \
	tests/lab/README.md \
	docs/conflicts.md \
	docs/examples \
	docs/kubernetes \
	docs/hardware.md \
	docs/lab.md \
	docs/tutorial.md \
	docs/upstream \
	docs/vmm.md \
	tests/hw \
	tests/lab/bugs \
	tests/lab/doc-test \
	tests/lab/debug-kernel \
	tests/lab/hw \
	tests/lab/judge \
	tests/lab/klog-test \
	tests/lab/lab \
	tests/lab/lib \
	tests/lab/lib.sh \
	tests/lab/packages \
	tests/lab/qemu \
	tests/lab/selftest \
	tests/lab/src \
	tests/lab/tests \
	tests/lab/vm

TESTS += tests/lab/klog-test tests/lab/selftest tests/lab/doc-test
