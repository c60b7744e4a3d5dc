// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The worst guest, as its VMM: drives an mdev raw through VFIO, or meets the worst device.
 *
 *	hostile UUID ATTACK [N]		hostile.h says which there are
 */
#include "mdev.h"
#include "hostile.h"

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: hostile UUID ATTACK [N]\n");
		return 2;
	}
	open_mdev(argv[1]);
	iova = 0x40000000;
	mem = memory(iova, MEM_SIZE);
	return attack(argv[2], argc > 3 ? (unsigned int)atoi(argv[3]) : 1000);
}
