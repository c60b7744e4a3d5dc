// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The worst guest, inside a guest: as hostile, on a PCI function that no driver has.
 *
 *	hostile-guest PCI-ADDRESS ATTACK [N]
 */
#include "function.h"
#include "hostile.h"

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: hostile-guest PCI-ADDRESS ATTACK [N]\n");
		return 2;
	}
	open_function(argv[1]);
	mem = memory(&iova);
	reset_function();
	return attack(argv[2], argc > 3 ? (unsigned int)atoi(argv[3]) : 1000);
}
