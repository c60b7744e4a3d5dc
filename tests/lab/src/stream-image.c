// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Spoils the image of an mdev in a migration stream of QEMU, which is a file.
 *
 *	stream-image FILE show|corrupt|newer|foreign|truncated|larger
 *
 * In the stream a tag, the image's size (both 64 bits, big-endian) and the image follow each other.
 */
#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAG	  0xffffffffef100004ull
#define MAGIC	  "IDXD-MDV"
#define I_VERSION 8
#define I_BAR0	  392

static int fd;
static off_t end;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The last one: guest memory, which comes before, may hold anything. */
static off_t find_image(void)
{
	const uint8_t *map = mmap(NULL, (size_t)end, PROT_READ, MAP_PRIVATE, fd, 0);
	uint64_t tag;
	off_t at;

	if (map == MAP_FAILED)
		die("mmap");
	for (at = end - 24; at >= 0; at--) {
		memcpy(&tag, map + at, sizeof(tag));
		if (be64toh(tag) == TAG && !memcmp(map + at + 16, MAGIC, 8))
			return at + 16;
	}
	fprintf(stderr, "stream-image: there is no image in it\n");
	exit(1);
}

static void write_at(off_t at, const void *data, size_t len)
{
	if (pwrite(fd, data, len, at) != (ssize_t)len)
		die("write");
}

/* What follows the image moves along. */
static void resize(off_t image, uint64_t size, int64_t by)
{
	off_t tail = image + (off_t)size;
	size_t len = (size_t)(end - tail);
	uint64_t be = htobe64(size + (uint64_t)by);
	uint8_t *data = malloc(len);

	if (!data || pread(fd, data, len, tail) != (ssize_t)len)
		die("read");
	write_at(image - 8, &be, sizeof(be));
	write_at(tail + by, data, len);
	if (ftruncate(fd, end + by))
		die("truncate");
	free(data);
}

int main(int argc, char **argv)
{
	const uint8_t newer = 2, other = 0x55;
	struct stat st;
	uint64_t size;
	off_t image;

	if (argc != 3) {
		fprintf(stderr, "usage: stream-image FILE HOW\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st))
		die(argv[1]);
	end = st.st_size;
	image = find_image();
	if (pread(fd, &size, sizeof(size), image - 8) != sizeof(size))
		die("read");
	size = be64toh(size);
	if (!strcmp(argv[2], "corrupt"))
		write_at(image + I_BAR0, &other, 1);
	else if (!strcmp(argv[2], "newer"))
		write_at(image + I_VERSION, &newer, 1);
	else if (!strcmp(argv[2], "foreign"))
		write_at(image, &other, 1);
	else if (!strcmp(argv[2], "truncated"))
		resize(image, size, -1);
	else if (!strcmp(argv[2], "larger"))
		resize(image, size, 1);
	else if (strcmp(argv[2], "show"))
		return 2;
	printf("stream-image: %s: image of %lu bytes at %ld of %ld\n", argv[2], size, (long)image,
	       (long)end);
	return 0;
}
